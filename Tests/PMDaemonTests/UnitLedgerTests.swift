import Glibc
import JSON
import PMModel
import PMSupervisor
import PMSystem
import Testing

@testable import PMDaemon

/// The list of what a successor must know of units.
@Suite struct UnitLedgerTests {
    private static func entry(_ text: String, _ intent: UnitIntent?) -> LedgerEntry {
        var entry = LedgerEntry()
        entry.run = UnitLedger.Run(
            base: text, options: RunOptions(arguments: [text, "größe \n"], inspection: .inspect))
        entry.intent = intent
        return entry
    }

    private static var rest: UnitIntent {
        var machine = UnitStateMachine(settings: UnitSettings(), seed: 1)
        _ = machine.handle(.request(.down), at: MonotonicTime(nanoseconds: 5))
        return .resting(machine.snapshot)
    }

    private static var waiting: UnitIntent {
        let machine = UnitStateMachine(settings: UnitSettings(), seed: 1)
        return .awaiting(Dependency("db", onStop: .stop), machine.snapshot)
    }

    @Test func `entries are read as they were written, the last of each unit`() throws {
        var bytes: [UInt8] = []
        Self.entry("old", nil).append(as: "web", to: &bytes)
        Self.entry("a", .wanted).append(as: "db", to: &bytes)
        Self.entry("new", Self.rest).append(as: "web", to: &bytes)
        Self.entry("b", Self.waiting).append(as: "api", to: &bytes)
        Self.entry("c", .renewing(incarnation: 7)).append(as: "job", to: &bytes)
        LedgerEntry().append(as: "gone", to: &bytes)
        let expected = [
            "web": Self.entry("new", Self.rest), "db": Self.entry("a", .wanted), "api": Self.entry("b", Self.waiting),
            "job": Self.entry("c", .renewing(incarnation: 7)),
        ]
        #expect(LedgerEntry.read(bytes) == expected)
    }

    @Test func `a list that ends anywhere has what was there before its last entry, or with it`() {
        var before: [UInt8] = []
        Self.entry("old", .wanted).append(as: "web", to: &before)
        var all = before
        Self.entry("new", Self.rest).append(as: "web", to: &all)
        for count in before.count...all.count {
            let expected = count == all.count ? Self.entry("new", Self.rest) : Self.entry("old", .wanted)
            #expect(LedgerEntry.read(Array(all[..<count])) == ["web": expected], "\(count)")
            // Zeros are what a hole in a file has.
            if count < all.count {
                let torn = Array(all[..<count]) + [UInt8](repeating: 0, count: 4 + all.count - count)
                #expect(LedgerEntry.read(torn)["web"] == expected, "\(count)")
            }
        }
    }

    @Test func `bytes at random are no entries`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            let bytes = (0..<Int.random(in: 0..<100)).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(LedgerEntry.read(bytes).isEmpty)
        }
    }

    // MARK: the file

    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/pm-ledger-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", "/tmp", code: errno) }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            // What the test has made; one of them may not be there.
            try? Files.remove(folder + "/ledger")
            rmdir(folder)
        }
        try body(folder)
    }

    @Test func `the file has the entries of this boot, and is written again by a new one`() throws {
        try withFolder { folder in
            let place = try #require(LedgerFile(stateDirectory: folder))
            #expect(try place.left() == nil)
            let (file, end) = try place.replace(with: [1, 2, 3], room: 100)
            try MemoryFile.write([4], at: end, to: file)
            #expect(try place.left() == [1, 2, 3, 4])
            #expect(try place.entries(file) == [1, 2, 3, 4])
            // What a machine that has started again finds.
            try Files.replace(folder + "/ledger", with: Array("0b1c\n".utf8) + [1, 2, 3])
            #expect(try place.left() == nil)
            try place.remove()
            #expect(try place.left() == nil)
        }
    }

    @Test func `a list in memory is read as well, as a daemon before had it`() throws {
        let place = try #require(LedgerFile(stateDirectory: "/nonexistent"))
        #expect(try place.entries(MemoryFile.make([1, 2, 3], named: "list")) == [1, 2, 3])
        #expect(throws: SystemError.self) { try place.replace(with: [1], room: 1) }
    }
}
