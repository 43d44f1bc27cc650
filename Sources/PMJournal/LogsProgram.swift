import Glibc
import JSON
import PMAPI
import PMLogs
import PMModel
import PMSystem

/// The program pm-logs: reads what services wrote, from files and from the journal, for pmd and for pm.
///
/// It is asked on its standard input, a file (`StoredLogQuery`), answers on its standard output a frame a line
/// (`StoredLogFrame`), and ends when nobody reads that any more. Descriptor 3, where there is one, brings the names of
/// services that are to be followed too, a line each; when it ends, so does the program.
public enum LogsProgram {
    static let names: Int32 = 3

    /// Answers one query, and gives the exit code.
    public static func main() -> Int32 {
        // A caller that has gone is met as an error of the write.
        signal(SIGPIPE, SIG_IGN)
        let output = FrameWriter(STDOUT_FILENO)
        do {
            try answer(query(), output)
            try output.flush()
            return 0
        } catch let error as SystemError where error.code == EPIPE {
            return 0
        } catch {
            // Without a reader an error would reach nobody.
            try? output.write(.failed(report(error)))
            try? output.flush()  // as above
            return ExitCode.failure.rawValue
        }
    }

    private static func query() throws -> StoredLogQuery {
        try StoredLogQuery(json: JSONValue(parsing: MemoryFile.read(SharedFD(owning: STDIN_FILENO))))
    }

    private static func answer(_ query: StoredLogQuery, _ output: FrameWriter) throws {
        let filter = try LogFilter(
            priority: query.call.priority, pattern: query.call.grep,
            streams: LogStream.wanted(query.call.streams?.map(\.rawValue)))
        if query.settles { JournalSync.wait() }
        let trace = try JournalUse.read(query.state)
        let journal = try trace.map { try JournalLines(query.call.names, in: SystemJournal(), $0, filter) }
        let place = journal?.cursor
        let stored = StoredLines(query, filter, now: SystemClock().wall())
        try stored.forEach(journal) { try output.write($0, follows: query.call.follows) }
        try output.write(.stored(cursor: journal?.cursor ?? place))
        guard query.call.follows, let journal else { return }
        try output.flush()
        try follow(journal, output)
    }

    private static func follow(_ journal: JournalLines, _ output: FrameWriter) throws {
        // Whatever the history was read like, from here on forwards from where it ended.
        try journal.seek(behind: journal.cursor)
        var added: [UInt8] = []
        while true {
            while let line = try journal.next() { try output.write(.journal(line), follows: true) }
            try output.flush()
            switch try journal.wait(or: names, orClosed: STDOUT_FILENO) {
            case .maybeMore: break
            case .abandoned: return
            case .asked:
                var chunk = [UInt8](repeating: 0, count: 4096)
                let count = try chunk.withUnsafeMutableBytes { (space) throws(SystemError) in
                    try Files.read(names, into: space, named: "names")
                }
                if count == 0 { return }
                added += chunk[..<count]
                while let end = added.firstIndex(of: UInt8(ascii: "\n")) {
                    try journal.add(String(decoding: added[..<end], as: UTF8.self))
                    added.removeFirst(end + 1)
                }
            }
        }
    }

    private static func report(_ error: any Error) -> APIError {
        switch error {
        case let error as APIError: error
        case let error as LogPatternProblem:
            .badRequest("cannot use the pattern: \(error)", hint: "a POSIX extended regular expression, regex(7)")
        case let error as SystemError where error.code == EACCES:
            .notPermitted(
                "\(error)", hint: "members of the groups systemd-journal and adm may read the journal, or use sudo")
        case let error as SystemError: APIError(500, "the log cannot be read: \(error)")
        default: APIError(500, "the log cannot be read: \(error)")  // errors are an open set
        }
    }
}

/// Writes frames, many at a time.
final class FrameWriter {
    private static let chunk = 1 << 16

    private let descriptor: Int32
    private var waiting: [UInt8] = []

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func write(_ frame: StoredLogFrame) throws(SystemError) {
        waiting += frame.json.serialized()
        waiting.append(UInt8(ascii: "\n"))
        if waiting.count >= Self.chunk { try flush() }
    }

    func write(_ line: StoredLines.Line, follows: Bool) throws(SystemError) {
        switch line {
        case .journal(let line):
            var record = Self.record(line.line, of: line.name, line.line.bytes)
            record.pid = line.pid
            record.priority = line.priority
            record.cursor = line.cursor
            try write(.record(record))
        case .file(let line) where follows && line.line.end == .unfinished:
            let whole = TornText.whole(line.line.bytes)
            let record = Self.record(line.line, of: line.unit, Array(line.line.bytes[..<whole]))
            try write(.unfinished(record, torn: Array(line.line.bytes[whole...])))
        case .file(let line): try write(.record(Self.record(line.line, of: line.unit, line.line.bytes)))
        }
    }

    /// Writes what waits.
    func flush() throws(SystemError) {
        guard !waiting.isEmpty else { return }
        var bytes: [UInt8] = []
        swap(&bytes, &waiting)
        try Files.write(bytes, to: descriptor, named: "standard output")
    }

    private static func record(_ line: LogLine, of name: String, _ bytes: [UInt8]) -> LogRecord {
        let isOver = line.end == .newline || line.end == .brokenOff
        let written = isOver ? bytes + [UInt8(ascii: "\n")] : bytes
        return switch line.stream {
        case .out: LogRecord(name: name, time: line.time, stream: .stdout, written: written)
        case .err: LogRecord(name: name, time: line.time, stream: .stderr, written: written)
        case .notice: LogRecord(name: name, time: line.time, stream: .pm, written: written)
        case .event: LogRecord(name: name, time: line.time, event: written)
        }
    }
}
