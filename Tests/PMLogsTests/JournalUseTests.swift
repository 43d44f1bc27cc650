import PMLogs
import PMModel
import PMSystem
import Testing

/// What was told.
@PMActor
private final class Told {
    var texts: [String] = []
}

@Suite struct JournalTraceTests {
    @Test @PMActor func `what one daemon kept the next one, and who reads, knows`() throws {
        let fixture = try LogFixture()
        func note() -> JournalNote {
            JournalNote(fixture.root, user: 7, clock: SystemClock()) { Issue.record("\($0)") }
        }
        let first = note()
        #expect(first.trace == nil)
        first.keep(unit: "pm.service")
        let since = try #require(first.trace?.since)
        let second = note()
        second.keep(unit: "pm.service")
        #expect(second.trace == first.trace)
        second.keep(unit: "")
        let wanted = JournalUse(units: ["", "pm.service"], user: 7, since: since)
        #expect(try JournalUse.read(fixture.root) == wanted)
        #expect(try JournalUse.read(fixture.root + "/nowhere") == nil)
    }

    @Test @PMActor func `where it cannot be kept it is told, and known until the end`() throws {
        let told = Told()
        let note = JournalNote("/nowhere", user: 0, clock: SystemClock()) { told.texts.append($0) }
        note.keep(unit: "pm.service")
        #expect(note.trace?.units == ["pm.service"] && told.texts.count == 1)
    }
}
