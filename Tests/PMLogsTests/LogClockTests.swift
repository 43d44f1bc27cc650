import PMLogs
import PMModel
import Testing

/// A log across times at which somebody set the clock.
@Suite struct `A clock that is set` {
    let fixture: LogFixture
    private static let year: Int64 = 365 * 86400

    init() throws { fixture = try LogFixture() }

    @Test func `back a year leaves every line readable, in the order in which it was written`() throws {
        let store = fixture.store()
        let now = 2 * Self.year
        store.append("before 1\n", at: now)
        store.append("before 2\n", .err, at: now + 1)
        store.append("after 1\n", at: now - Self.year)
        store.append("after 2\n", .err, at: now - Self.year + 60)
        store.close()
        let all = ["out: before 1", "err: before 2", "out: after 1", "err: after 2"]
        #expect(try fixture.lines() == all)
        #expect(try fixture.lines("web", LogQuery(lines: 2)) == Array(all.suffix(2)))
        // What was written since then by the clock as it is now.
        let recent = LogQuery(since: .seconds(now - Self.year + 30))
        #expect(try fixture.lines("web", recent).last == "err: after 2")
        #expect(try fixture.lines("web", recent).contains("out: after 1") == false)
        // A writer that finds such a log goes on with it.
        let next = fixture.store()
        next.append("next\n", at: now - Self.year + 70)
        next.close()
        #expect(try fixture.lines() == all + ["out: next"])
    }

    @Test func `back and then right again shows what is recent and nothing twice`() throws {
        let store = fixture.store()
        let now = 2 * Self.year
        for (text, time) in [("old", now - 3600), ("wrong", now - Self.year), ("new 1", now), ("new 2", now + 1)] {
            store.append("\(text)\n", at: time)
        }
        store.close()
        #expect(try fixture.lines("web", LogQuery(since: .seconds(now - 60))) == ["out: new 1", "out: new 2"])
        #expect(try fixture.lines() == ["out: old", "out: wrong", "out: new 1", "out: new 2"])
    }
}
