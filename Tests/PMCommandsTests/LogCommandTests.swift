import JSON
import JSONRPC
import PMAPI
import PMModel
import Testing

@testable import PMCommands

@Suite struct LogCommandTests {
    private func show(_ frames: [StreamFrame], _ choice: OutputChoice = .table, times: Bool = false) throws -> String {
        let output = TextSink()
        var session = CommandContext(environment: [:], terminal: Terminal(), output: output, errors: TextSink())
        session.clock = StoppedClock()
        session.format = choice.format
        var printer = LogPrinter(session, .init(output: choice, timestamps: times))
        for frame in frames { try printer.show(frame) }
        printer.finish()
        return output.text
    }

    private func record(_ text: String, _ name: String = "web", _ stream: LogRecord.Stream = .stdout) -> StreamFrame {
        .data(LogRecord(name: name, time: WallTime(nanoseconds: 0), stream: stream, text: text).json)
    }

    @Test func `each line has its service's name before it`() throws {
        #expect(try show([record("one\n"), record("two\n", "api")]) == "[web] one\n[api] two\n")
    }

    @Test func `pieces of a line are put together, streams kept apart`() throws {
        let frames = [record("o"), record("err\n", "web", .stderr), record("ne\n")]
        #expect(try show(frames) == "[web]!err\n[web] one\n")
    }

    @Test func `an event ends the line that its incarnation left, and has a mark that no service can write`() throws {
        var started = LogRecord(name: "web", time: WallTime(nanoseconds: 0), stream: .pm, text: "")
        started.event = .started(.init(incarnation: 2, pid: 12, restarts: 1))
        started.text = "started again (restart 1), process 12\n"
        let shown = try show([record("half"), .data(started.json), record("next\n"), record("bad\n", "web", .stderr)])
        #expect(shown == "[web] half\n[web]-- started again (restart 1), process 12\n[web] next\n[web]!bad\n")
        #expect(try show([.data(started.json), record("a\n")], .cat) == "a\n")
    }

    @Test func `texts are aligned behind the longest name`() throws {
        #expect(try show([record("a\n"), record("b\n", "web#2")]) == "[web]   a\n[web#2] b\n")
    }

    @Test func `an unfinished last line is shown`() throws {
        #expect(try show([record("half")]) == "[web] half\n")
    }

    @Test func `raw is what the service wrote`() throws {
        #expect(try show([record("a\r"), record("b\u{1B}[1m\n")], .cat) == "a\rb\u{1B}[1m\n")
    }

    @Test func `as json each record is a line`() throws {
        #expect(
            try show([record("one\n")], .json)
                == #"{"name":"web","time":"1970-01-01T00:00:00.000000Z","stream":"stdout","text":"one\n"}"# + "\n")
    }

    @Test func `short is a line with time, name and process, once it is whole`() throws {
        var known = LogRecord(name: "web", time: WallTime(nanoseconds: 0), stream: .stdout, text: "one\n")
        known.pid = 42
        let frames = [record("o"), .data(known.json), record("ther", "api"), record("err\n", "web", .stderr)]
        let shown = try show(frames, .short).split(separator: "\n").map { $0.dropFirst("Jan 01 00:00:00 ".count) }
        #expect(shown == ["web: oone", "web: err", "api: ther"])
        #expect(try show([.data(known.json)], .short).hasSuffix(" web[42]: one\n"))
    }

    @Test func `text of a daemon that has no records is passed on`() throws {
        #expect(try show([.data("one\n"), .bytes(Array("two\n".utf8)), .end]) == "one\ntwo\n")
    }

    @Test func `a service's name cannot move the cursor`() throws {
        #expect(try show([record("x\n", "a\u{1B}[2Jb")]) == "[a?[2Jb] x\n")
    }
}
