import Glibc
import PMLogs
import PMModel
import PMSystem
import Testing

/// A directory of logs for one test, removed with it.
final class LogFixture: Sendable {
    let root: String
    let directory: LogDirectory

    init() throws {
        var template = Array("/tmp/pm-logs-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        directory = LogDirectory(root: root + "/logs")
    }

    deinit {
        Self.removeTree(root)
    }

    var reader: LogReader { LogReader(directory) }

    func store(
        _ unit: String = "web", limits: LogLimits = LogLimits(), budget: DescriptorBudget = DescriptorBudget()
    ) -> LogStore {
        LogStore(SegmentFiles(directory, of: unit), limits: limits, budget: budget)
    }

    /// Every line of a unit as text, with the stream's first letter and how it ends.
    func lines(_ unit: String = "web", _ query: LogQuery = LogQuery()) throws -> [String] {
        var lines = try reader.lines(of: unit, query)
        return try lines.all().map(\.shown)
    }

    func files(_ unit: String = "web") throws -> [String] {
        guard try Files.status(directory.path(of: unit)) != nil else { return [] }
        return try Files.list(directory.path(of: unit))
    }

    func bytesOnDisk(_ unit: String = "web") throws -> Int {
        try files(unit).reduce(0) { try $0 + Int(Files.status(directory.path(of: unit) + "/" + $1)?.size ?? 0) }
    }

    private static func removeTree(_ path: String) {
        // What is left behind in /tmp after a failed removal hurts no other test.
        for name in (try? Files.list(path)) ?? [] {
            if unlink("\(path)/\(name)") != 0 { removeTree("\(path)/\(name)") }
        }
        rmdir(path)
    }
}

extension LogLines {
    mutating func all() throws -> [LogLine] {
        var lines: [LogLine] = []
        while let line = try next() { lines.append(line) }
        return lines
    }
}

extension MergedLogLines {
    mutating func all() throws -> [UnitLine] {
        var lines: [UnitLine] = []
        while let line = try next() { lines.append(line) }
        return lines
    }
}

extension LogLine {
    /// `out: text` with a mark for lines without newline: `…` unfinished, `¶` broken off, `»` split.
    var shown: String {
        let mark =
            switch end {
            case .newline: ""
            case .unfinished: "…"
            case .brokenOff: "¶"
            case .split: "»"
            }
        return "\(stream): \(text)\(mark)"
    }
}

extension LogStore {
    func append(_ text: String, _ stream: LogStream = .out, at seconds: Int64 = 1, startsAnew: Bool = false) {
        append(Array(text.utf8), stream, at: seconds, startsAnew: startsAnew)
    }

    func append(_ bytes: [UInt8], _ stream: LogStream, at seconds: Int64, startsAnew: Bool = false) {
        let stamp = LogStamp(stream, at: .seconds(seconds), startsAnew: startsAnew)
        bytes.withUnsafeBytes { append($0, stamp) }
    }
}

extension WallTime {
    static func seconds(_ seconds: Int64) -> WallTime { WallTime(nanoseconds: seconds * 1_000_000_000) }
}

/// A generator whose sequence depends on its seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
