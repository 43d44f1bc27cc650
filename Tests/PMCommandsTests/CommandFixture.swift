import Glibc
import JSON
import PMAPI
import PMModel
import PMSystem

@testable import PMCommands

/// Collects what a command writes.
final class TextSink: OutputSink {
    private(set) var text = ""

    func write(_ bytes: [UInt8]) { text += String(decoding: bytes, as: UTF8.self) }
}

/// A clock that stands still.
struct StoppedClock: TimeSource {
    var now = WallTime(nanoseconds: 1_795_386_124_000_000_000)

    func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: 0) }
    func wall() -> WallTime { now }
}

/// A session whose output a test can read, and a daemon that answers from a table.
final class CommandFixture {
    let output = TextSink()
    let errors = TextSink()
    let directory: String
    private var answers: [String] = []
    private var server: ScriptedServer?

    init() throws {
        var template = Array("/tmp/pm-commands-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        unlink(directory + "/pm.sock")
        rmdir(directory)
    }

    /// Answers a person gives, in order.
    func willAnswer(_ lines: String...) { answers += lines }

    /// What was called so far.
    var calls: [ScriptedServer.Call] { server?.calls ?? [] }

    /// Serves the calls of one command; each call is answered by the closure: a result, or an error thrown.
    func serve(_ answer: @escaping @Sendable (ScriptedServer.Call) throws(APIError) -> JSONValue) throws {
        server = try ScriptedServer(socket: directory + "/pm.sock", answer: answer)
    }

    /// Runs a command line; tells the exit code.
    @discardableResult
    func run(_ words: String..., columns: Int? = nil) -> Int32 { run(words, columns: columns) }

    /// Runs a command line; tells the exit code.
    @discardableResult
    func run(_ words: [String], columns: Int? = nil) -> Int32 {
        var session = CommandContext(
            environment: ["HOME": directory], terminal: Terminal(), output: output, errors: errors)
        session.terminal.columns = columns
        session.clock = StoppedClock()
        session.readLine = { [weak self] in
            guard let self, !self.answers.isEmpty else { return nil }
            return self.answers.removeFirst()
        }
        let socket = server == nil ? [] : ["--pm-sock", directory + "/pm.sock"]
        let code = Program.run(socket + words, session)
        server?.stop()
        return code
    }
}
