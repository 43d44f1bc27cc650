import PMAPI
import PMLogs
import PMModel
import PMSystem

/// The stored lines of some services, from files and the journal, merged by time.
struct StoredLines {
    /// More lines than anybody has; beyond it they are not counted but passed on as they are read.
    private static let mostCounted = 1_000_000

    /// A line and where it came from.
    enum Line {
        case file(UnitLine)
        case journal(JournalLines.Line)

        fileprivate var time: WallTime {
            switch self {
            case .file(let line): line.line.time
            case .journal(let line): line.line.time
            }
        }
    }

    private let query: StoredLogQuery
    private let filter: LogFilter
    private let since: WallTime?
    private let until: WallTime?

    init(_ query: StoredLogQuery, _ filter: LogFilter, now: WallTime) {
        self.query = query
        self.filter = filter
        since = query.call.since?.time(from: now)
        until = query.call.until?.time(from: now)
    }

    /// Hands out the lines, oldest first, to `body`.
    ///
    /// - Throws: `SystemError`, or what `body` throws.
    func forEach(_ journal: JournalLines?, _ body: (Line) throws -> Void) throws {
        let limit = query.call.lines.flatMap { $0 < Self.mostCounted ? $0 : nil }
        let counted = try limit.map { try last($0, journal) }
        if let counted { return try counted.forEach(body) }
        var files = try files(limit: nil)
        if let after = query.after { try journal?.seek(behind: after) } else { try journal?.seek(since: since) }
        var file = try nextFile(&files)
        var entry = try journal?.next(until: until)
        while file != nil || entry != nil {
            if let next = file, entry.map({ next.line.time <= $0.line.time }) ?? true {
                try body(.file(next))
                file = try nextFile(&files)
            } else if let next = entry {
                try body(.journal(next))
                entry = try journal?.next(until: until)
            }
        }
    }

    /// The last lines of all together.
    private func last(_ count: Int, _ journal: JournalLines?) throws -> [Line] {
        var lines = try journal?.last(count, since: since, until: until).map(Line.journal) ?? []
        // The search from the end counts lines without looking at them.
        var files = try files(limit: filter.isOpen && until == nil ? count : nil)
        var found: [Line] = []
        while let next = try nextFile(&files) {
            found.append(.file(next))
            if found.count >= 2 * count + 1024 { found.removeFirst(found.count - count) }
        }
        lines += found.suffix(count)
        // Two that arrived together stay in the order in which each place has them.
        let sorted = lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        return sorted.suffix(count).map(\.element)
    }

    private func files(limit: Int?) throws -> MergedLogLines? {
        guard query.readsFiles else { return nil }
        let names = query.call.names
        let reader = LogReader(LogDirectory(root: query.state + "/logs"))
        let ends = query.ends.compactMapValues(LogPosition.init(text:))
        var query = LogQuery(lines: limit, since: since)
        query.streams = filter.streams
        return try reader.lines(of: names, query, until: ends)
    }

    private func nextFile(_ files: inout MergedLogLines?) throws -> UnitLine? {
        while let next = try files?.next() {
            if let until, next.line.time > until { continue }
            if filter.accepts(next.line) { return next }
        }
        return nil
    }
}
