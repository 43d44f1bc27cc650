import Glibc
import JSON
import PMAPI
import PMLogs
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

@Suite(.loop) struct EventStoreTests {
    /// A store in a folder of its own.
    @PMActor private final class Fixture {
        let folder: String
        private(set) var troubles: [String] = []
        private(set) var store: EventStore?

        init() throws {
            var template = Array("/tmp/pm-events-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        func open(_ directory: String? = nil) -> EventStore {
            let store = EventStore(stateDirectory: directory ?? folder, reactor: TestLoop.reactor) {
                self.troubles.append($0)
            }
            self.store = store
            return store
        }

        func remove() {
            unlink(folder + "/events.jsonl")
            rmdir(folder)
        }
    }

    private static func exit(_ code: Int32, of service: String = "web", words: String = "") -> EventRecord {
        var record = DeathRecord(
            incarnation: 1, reason: .exited(code: code), at: WallTime(seconds: 1), uptime: .seconds(1))
        record.lastLines = [words]
        return EventRecord(record, of: service, "\(service) ended")
    }

    @Test @PMActor func `the next store goes on with the numbers, and knows the last deaths`() throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let first = fixture.open()
        for code in [1, 2] as [Int32] { first.publish(Self.exit(code, of: #"we"b"#)) }
        first.flush()
        let next = fixture.open()
        #expect(next.newest == 2 && next.lastDeath(of: #"we"b"#)?.reason == .exited(code: 2))
        next.publish(Self.exit(3, of: #"we"b"#))
        #expect(next.newest == 3 && next.lastDeath(of: #"we"b"#)?.reason == .exited(code: 3))
        #expect(next.lastDeath(of: "other") == nil && fixture.troubles.isEmpty)
    }

    @Test @PMActor func `what the disk refuses is bounded, and its loss is counted`() throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let store = fixture.open(fixture.folder + "/missing")
        store.publish(Self.exit(7, of: "quiet"))
        for code in 0..<1_000 { store.publish(Self.exit(Int32(code), words: String(repeating: "x", count: 1_000))) }
        store.flush()
        #expect(store.unwritten.count <= 1 << 18 && store.problem?.contains("are only in memory") == true)
        #expect(String(decoding: store.unwritten.prefix(200), as: UTF8.self).contains("quiet"))
        #expect(fixture.troubles.count == 1, "\(fixture.troubles)")
        mkdir(fixture.folder + "/missing", 0o700)
        defer {
            unlink(fixture.folder + "/missing/events.jsonl")
            rmdir(fixture.folder + "/missing")
        }
        store.flush()
        #expect(store.problem == nil && fixture.troubles.last?.contains("of them are lost") == true)
    }

    @Test @PMActor func `a follower that reads too slowly gets the number of events that it missed`() throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let store = fixture.open()
        let (slow, quick) = (store.follow(), store.follow())
        var taken = 0
        quick.notify { while quick.next() != nil { taken += 1 } }
        for code in 0..<2_000 { store.publish(Self.exit(Int32(code), words: String(repeating: "x", count: 1_000))) }
        guard case .missed(let count)? = slow.next() else {
            Issue.record("nothing is missed")
            return
        }
        var rest = 0
        while slow.next() != nil { rest += 1 }
        #expect(Int(count) + rest == 2_000 && rest > 500 && taken == 2_000, "\(count) \(rest) \(taken)")
        slow.cancel()
        quick.cancel()
    }

    @Test func `refusals of a span are one event, and one for their number`() {
        var counts = RefusalCounts()
        let key = RefusalCounts.Key(caller: "user 1", what: "stop")
        #expect((0..<100).map { _ in counts.note(key) }.filter { $0 }.count == 1)
        for number in 0..<1_000 { _ = counts.note(RefusalCounts.Key(caller: "user 1", what: "m\(number)")) }
        let left = counts.end()
        #expect(left.map(\.count) == [969, 99] && left[0].key == RefusalCounts.others, "\(left)")
        #expect(counts.isEmpty && counts.end().isEmpty)
    }
}
