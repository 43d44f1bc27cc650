import Glibc
import JSON
import PMAPI
@testable import PMJournal
@testable import PMLogs
import PMModel
import PMSystem
import Testing

/// A state directory with a log of files, removed with it.
private final class StateDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/pm-journal-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        let folder = "\(path)/logs"
        // Nothing is left to be removed where the test failed before it wrote.
        for unit in (try? Files.list(folder)) ?? [] {
            let path = "\(folder)/\(unit)"
            for file in (try? Files.list(path)) ?? [] { unlink("\(path)/\(file)") }  // as above
            rmdir("\(folder)/\(unit)")
        }
        rmdir(folder)
        rmdir(path)
    }

    /// Writes lines, each at its second.
    func write(_ name: String, _ lines: [(Int64, String)]) {
        let files = SegmentFiles(LogDirectory(root: path + "/logs"), of: name)
        let store = LogStore(files, budget: DescriptorBudget())
        for (second, text) in lines {
            let stamp = LogStamp(.out, at: .seconds(second), startsAnew: false)
            Array(text.utf8).withUnsafeBytes { store.append($0, stamp) }
        }
        store.close()
    }
}

@Suite struct `Lines from files and the journal` {
    private let state: StateDirectory

    init() throws { state = try StateDirectory() }

    private func query(_ names: [String] = ["web"], _ change: (inout Log) -> Void = { _ in }) -> StoredLogQuery {
        var call = Log(names: names)
        change(&call)
        return StoredLogQuery(call, state: state.path)
    }

    private func texts(
        _ query: StoredLogQuery, _ journal: MemoryJournal?, _ filter: LogFilter? = nil
    ) throws -> [String] {
        let filter = try filter ?? LogFilter()
        let trace = JournalUse(units: [], user: 1000, since: .seconds(0))
        let lines = try journal.map { try JournalLines(query.call.names, in: $0, trace, filter) }
        var texts: [String] = []
        try StoredLines(query, filter, now: .seconds(100)).forEach(lines) { line in
            switch line {
            case .file(let line): texts.append("file " + String(decoding: line.line.bytes, as: UTF8.self))
            case .journal(let line): texts.append("journal " + String(decoding: line.line.bytes, as: UTF8.self))
            }
        }
        return texts
    }

    private func journal(_ seconds: Int64...) -> MemoryJournal {
        MemoryJournal(seconds.map { .line("web", "\($0)", at: $0) })
    }

    @Test func `they are merged by time, and files go first at the same time`() throws {
        state.write("web", [(1, "1\n"), (3, "3\n"), (5, "5\n")])
        let merged = ["file 1", "journal 2", "file 3", "journal 3", "file 5", "journal 6"]
        #expect(try texts(query(), journal(2, 3, 6)) == merged)
        #expect(try texts(query { $0.lines = 100 }, journal(2, 3, 6)).sorted() == merged.sorted())
        #expect(try texts(query { $0.lines = 2 }, journal(2, 3, 6)) == ["file 5", "journal 6"])
        #expect(try texts(query { $0.lines = 0 }, journal(2, 3, 6)).isEmpty)
        #expect(try texts(query(), nil) == ["file 1", "file 3", "file 5"])
    }

    @Test func `since and until hold for both, and a duration counts back from now`() throws {
        state.write("web", [(91, "a\n"), (95, "b\n"), (99, "c\n")])
        let between = query {
            $0.since = .ago(.seconds(8))
            $0.until = .at(.seconds(96))
        }
        #expect(try texts(between, journal(90, 93, 96, 97)) == ["journal 93", "file b", "journal 96"])
    }

    @Test func `a filter looks at every line, and counts after it`() throws {
        state.write("web", (1...2000).map { (Int64($0), $0 % 500 == 0 ? "match \($0)\n" : "other\n") })
        let wanted = query { $0.lines = 3 }
        let matches = ["file match 1000", "file match 1500", "file match 2000"]
        #expect(try texts(wanted, nil, LogFilter(pattern: "match")) == matches)
    }

    @Test func `files are left out on request, and the journal goes on behind a cursor`() throws {
        state.write("web", [(1, "1\n")])
        var wanted = query()
        wanted.readsFiles = false
        wanted.after = "c0"
        #expect(try texts(wanted, journal(2, 3, 6)) == ["journal 3", "journal 6"])
    }

    // MARK: frames

    /// Frames as they leave pm-logs.
    private func frames(_ lines: [StoredLines.Line], follows: Bool) throws -> [StoredLogFrame] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError.last("pipe") }
        defer { close(ends[0]) }
        let writer = FrameWriter(ends[1])
        for line in lines { try writer.write(line, follows: follows) }
        try writer.flush()
        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(ends[0], &bytes, bytes.count)
        return try bytes[..<max(count, 0)].split(separator: UInt8(ascii: "\n")).map {
            try StoredLogFrame(json: JSONValue(parsing: Array($0)))
        }
    }

    @Test func `a line has its newline again, and a piece of one has none`() throws {
        let whole = LogLine(.err, at: .seconds(1), Array("one".utf8), end: .newline)
        let piece = LogLine(.out, at: .seconds(2), Array("tw".utf8) + [0xc3], end: .unfinished)
        let lines = [whole, piece].map { StoredLines.Line.file(UnitLine(unit: "web", line: $0)) }
        let one = LogRecord(name: "web", time: .seconds(1), stream: .stderr, text: "one\n")
        let two = LogRecord(name: "web", time: .seconds(2), stream: .stdout, text: "tw")
        #expect(try frames(lines, follows: true) == [.record(one), .unfinished(two, torn: [0xc3])])
        let torn = LogRecord(name: "web", time: .seconds(2), stream: .stdout, written: Array("tw".utf8) + [0xc3])
        #expect(try frames(lines, follows: false) == [.record(one), .record(torn)])
    }

    @Test func `a line of the journal keeps its process, its level and its place`() throws {
        let line = JournalLines.Line(
            name: "web", line: LogLine(.out, at: .seconds(3), Array("x".utf8), end: .split), pid: 7, priority: .warning,
            cursor: "c9")
        var record = LogRecord(name: "web", time: .seconds(3), stream: .stdout, text: "x")
        (record.pid, record.priority, record.cursor) = (7, .warning, "c9")
        #expect(try frames([.journal(line)], follows: true) == [.record(record)])
    }
}
