@testable import PMJournal
import PMLogs
import PMModel
import PMSystem
import Testing

extension WallTime {
    static func seconds(_ seconds: Int64) -> WallTime { WallTime(nanoseconds: seconds * 1_000_000_000) }
}

extension JournalLines {
    func all(until: WallTime? = nil) throws -> [String] {
        var texts: [String] = []
        while let line = try next(until: until) { texts.append(line.text) }
        return texts
    }
}

extension JournalLines.Line {
    var text: String { "\(name): " + String(decoding: line.bytes, as: UTF8.self) }
}

@Suite struct `Lines of services in the journal` {
    private let trace = JournalUse(units: [], user: 1000, since: .seconds(0))

    private func lines(
        _ journal: MemoryJournal, of names: [String] = ["web"], _ filter: LogFilter? = nil, since: Int64 = 0
    ) throws -> JournalLines {
        let trace = JournalUse(units: [], user: 1000, since: .seconds(since))
        return try JournalLines(names, in: journal, trace, filter ?? LogFilter())
    }

    @Test func `only lines of the wanted services, of this user and from their own streams`() throws {
        let journal = MemoryJournal([
            .line("web", "one", at: 1), .line("db", "two", at: 2),
            .line("web", "forged", at: 3, ["_TRANSPORT": "syslog"]),
            .line("web", "of another user", at: 4, ["_UID": "1001"]), .line("web", "three", at: 5),
        ])
        let lines = try self.lines(journal)
        try lines.seek(since: nil)
        #expect(try lines.all() == ["web: one", "web: three"])
    }

    @Test func `a daemon of root is known by its units`() throws {
        let journal = MemoryJournal([
            .line("web", "mine", at: 1), .line("web", "of another unit", at: 2, ["_SYSTEMD_UNIT": "other.service"]),
        ])
        let trace = JournalUse(units: ["pm.service"], user: 0, since: .seconds(0))
        let lines = try JournalLines(["web"], in: journal, trace, LogFilter())
        try lines.seek(since: nil)
        #expect(try lines.all() == ["web: mine"])
        #expect(journal.matches["_UID"] == nil)
    }

    @Test func `with many services the journal does not look for each name, and the lines are the same`() throws {
        let names = (0..<40).map { "s\($0)" }
        let journal = MemoryJournal([.line("s3", "one", at: 1), .line("x", "no", at: 2), .line("s39", "two", at: 3)])
        let lines = try self.lines(journal, of: names)
        try lines.seek(since: nil)
        #expect(try lines.all() == ["s3: one", "s39: two"])
        #expect(journal.matches["SYSLOG_IDENTIFIER"] == nil)
        #expect(try self.lines(journal, of: Array(names.prefix(32))).last(5, since: nil, until: nil).count == 1)
        #expect(journal.matches["SYSLOG_IDENTIFIER"]?.count == 32)
    }

    @Test func `the last lines end at the newest, whatever others write`() throws {
        let journal = MemoryJournal((1...9).map { .line($0 % 2 == 0 ? "db" : "web", "\($0)", at: $0) })
        let lines = try self.lines(journal)
        #expect(try lines.last(2, since: nil, until: nil).map(\.text) == ["web: 7", "web: 9"])
        #expect(lines.cursor == "c8")
        #expect(try lines.last(9, since: .seconds(4), until: .seconds(7)).map(\.text) == ["web: 5", "web: 7"])
        #expect(try lines.last(9, since: nil, until: WallTime(nanoseconds: .max)).count == 5)
    }

    @Test func `nothing is older than the daemon's use of the journal`() throws {
        let journal = MemoryJournal((1...9).map { .line("web", "\($0)", at: $0) })
        let lines = try self.lines(journal, since: 7)
        #expect(try lines.last(9, since: .seconds(2), until: nil).map(\.text) == ["web: 7", "web: 8", "web: 9"])
        try lines.seek(since: .seconds(2))
        #expect(try lines.all(until: .seconds(8)) == ["web: 7", "web: 8"])
    }

    @Test func `reading goes on behind a cursor, also when its entry is not one of the wanted`() throws {
        let journal = MemoryJournal((1...6).map { .line($0 == 3 ? "db" : "web", "\($0)", at: $0) })
        let lines = try self.lines(journal)
        try lines.seek(behind: "c1")
        #expect(try lines.all() == ["web: 4", "web: 5", "web: 6"])
        try lines.seek(behind: "c2")
        #expect(try lines.all() == ["web: 4", "web: 5", "web: 6"])
        #expect(lines.cursor == "c5")
    }

    @Test func `a service that is added later is read from there on`() throws {
        let journal = MemoryJournal([.line("web", "1", at: 1), .line("db", "2", at: 2), .line("db", "3", at: 3)])
        let lines = try self.lines(journal)
        try lines.seek(since: nil)
        #expect(try lines.next()?.text == "web: 1")
        try lines.add("db")
        #expect(try lines.all() == ["db: 2", "db: 3"])
    }

    @Test func `stream, level, process and the cut of journald come from the entry`() throws {
        let journal = MemoryJournal([
            .line(
                "web", "long", at: 1,
                ["SYSLOG_FACILITY": "16", "PRIORITY": "3", "_PID": "7", "_LINE_BREAK": "line-max"]),
            .line("web", "plain", at: 2),
        ])
        let found = try lines(journal).last(2, since: nil, until: nil)
        #expect(found.map(\.line.stream) == [.err, .out])
        #expect(found.map(\.line.end) == [.split, .newline])
        #expect(found.map(\.priority) == [.error, nil] && found.map(\.pid) == [7, nil])
        func last(_ filter: LogFilter) throws -> [String] {
            try lines(journal, filter).last(9, since: nil, until: nil).map(\.text)
        }
        #expect(try last(LogFilter(priority: .error)) == ["web: long"])
        #expect(try last(LogFilter(pattern: "pla")) == ["web: plain"])
    }

    @Test func `a journal that this user may not read, or that breaks, is an error`() throws {
        let journal = MemoryJournal([])
        journal.isForbidden = true
        #expect(throws: SystemError("read", "the journal", code: 13)) { try self.lines(journal) }
        journal.isForbidden = false
        let lines = try self.lines(journal)
        journal.failure = SystemError("read", "the journal", code: 74)
        #expect(throws: SystemError("read", "the journal", code: 74)) { try lines.next() }
    }
}
