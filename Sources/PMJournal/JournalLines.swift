import PMLogs
import PMModel
import PMSystem

/// Lines that services wrote straight to the journal.
final class JournalLines {
    /// So many identifiers are looked for by the journal itself; with more of them it takes longer than to look at each
    /// entry of the daemon's unit.
    private static let mostMatches = 32

    /// A line of a service.
    struct Line {
        let name: String
        let line: LogLine
        let pid: Int?
        let priority: LogPriority?
        let cursor: String?
    }

    private let journal: any Journal
    private let trace: JournalUse
    private let filter: LogFilter
    private var names: Set<String>
    private let isMatched: Bool
    /// True when the journal is at an entry that was not looked at yet.
    private var isAtNext = false
    /// The place up to which it was read.
    private(set) var cursor: String?

    /// Finds the services of a daemon in a journal.
    ///
    /// - Throws: `SystemError`.
    init(
        _ names: [String], in journal: any Journal, _ trace: JournalUse, _ filter: LogFilter
    ) throws(SystemError) {
        self.journal = journal
        self.trace = trace
        self.filter = filter
        self.names = Set(names)
        isMatched = names.count <= Self.mostMatches
        if journal.isForbidden { throw SystemError("read", "the journal", code: 13) }
        // Before anything is matched: where it ends for all.
        try journal.seekTail()
        if try journal.previous() { cursor = journal.cursor }
        try match()
    }

    private func match() throws(SystemError) {
        // Only what came over a service's own stream: anybody may send entries with any other field.
        try journal.match("_TRANSPORT", "stdout")
        if trace.user != 0 {
            try journal.match("_UID", "\(trace.user)")
        } else if !trace.units.isEmpty, !trace.units.contains("") {
            for unit in trace.units { try journal.match("_SYSTEMD_UNIT", unit) }
        }
        if isMatched { for name in names { try journal.match("SYSLOG_IDENTIFIER", name) } }
    }

    /// Wants the lines of another service, too.
    ///
    /// - Throws: `SystemError`.
    func add(_ name: String) throws(SystemError) {
        guard names.insert(name).inserted, isMatched else { return }
        try journal.match("SYSLOG_IDENTIFIER", name)
    }

    // MARK: what is there

    /// The last lines, oldest first, from `since` on and not after `until`.
    ///
    /// - Throws: `SystemError`.
    func last(_ count: Int, since: WallTime?, until: WallTime?) throws(SystemError) -> [Line] {
        if let until {
            // The journal counts microseconds; the end of time stays the end of time.
            try journal.seek(to: WallTime(nanoseconds: min(until.nanoseconds, .max - 1000) + 1000))
        } else {
            try journal.seekTail()
        }
        let earliest = max(since ?? trace.since, trace.since)
        var lines: [Line] = []
        while lines.count < count, try journal.previous() {
            if journal.time < earliest { break }
            if let line = line { lines.append(line) }
        }
        // From here on forwards: what was read backwards ends at the newest.
        if let newest = lines.first?.cursor { cursor = newest }
        return lines.reversed()
    }

    /// Begins to read forwards at a time.
    ///
    /// - Throws: `SystemError`.
    func seek(since: WallTime?) throws(SystemError) {
        try journal.seek(to: max(since ?? trace.since, trace.since))
    }

    /// Begins to read forwards behind a cursor.
    ///
    /// - Throws: `SystemError`.
    func seek(behind place: String?) throws(SystemError) {
        guard let place else { return try seek(since: nil) }
        cursor = place
        isAtNext = try journal.seek(behind: place)
    }

    /// The next line, not after `until`; nil when there is none yet.
    ///
    /// - Throws: `SystemError`.
    func next(until: WallTime? = nil) throws(SystemError) -> Line? {
        while try step() {
            if let until, journal.time > until { return nil }
            if let line = line {
                cursor = line.cursor
                return line
            }
        }
        return nil
    }

    private func step() throws(SystemError) -> Bool {
        guard !isAtNext else {
            isAtNext = false
            return true
        }
        return try journal.next()
    }

    /// Waits for more.
    ///
    /// - Throws: `SystemError`.
    func wait(or other: Int32, orClosed output: Int32) throws(SystemError) -> JournalWait {
        try journal.wait(or: other, orClosed: output)
    }

    /// The entry as a line, if it is wanted.
    private var line: Line? {
        guard let name = journal.text("SYSLOG_IDENTIFIER"), names.contains(name), let text = journal.bytes("MESSAGE")
        else { return nil }
        // What pm-init tells journald of its streams (spawn_journal.c): local0 is standard error.
        let stream: LogStream = journal.number("SYSLOG_FACILITY") == 16 ? .err : .out
        let priority = journal.number("PRIORITY").flatMap { LogPriority(rawValue: $0) }
        guard filter.accepts(text, stream, level: priority) else { return nil }
        // journald cuts what is longer than it allows; all else has got its end, by a newline or without one.
        let isCut = journal.text("_LINE_BREAK") == "line-max"
        return Line(
            name: name, line: LogLine(stream, at: journal.time, text, end: isCut ? .split : .newline),
            pid: journal.number("_PID"), priority: priority, cursor: journal.cursor)
    }
}
