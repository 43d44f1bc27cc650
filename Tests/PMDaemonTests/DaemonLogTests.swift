import PMModel
import PMSystem
import Testing

@testable import PMDaemon

/// Content of the daemon's log, and its behaviour without a reader.
@Suite(.loop) struct DaemonLogTests {
    /// A reader that takes lines while it has room.
    @PMActor private final class Reader {
        var room = Int.max
        var lines: [String] = []

        func received(_ line: [UInt8]) -> Bool {
            guard room > 0 else { return false }
            room -= 1
            lines.append(String(decoding: line, as: UTF8.self).split(separator: "pmd: ").last.map(String.init) ?? "")
            return true
        }
    }

    @Test @PMActor func `what nobody reads is lost, and counted`() {
        let reader = Reader()
        let log = DaemonLog(isVerbose: true, clock: SystemClock()) { reader.received($0) }
        log.trouble("one")
        reader.room = 0
        for number in 0..<5 { log.tell("lost \(number)") }
        reader.room = 2
        log.trouble("two")
        #expect(reader.lines == ["one\n", "5 lines are missing here, because nobody read them\n", "two\n"])
    }

    @Test @PMActor func `room for the count alone loses the line behind it`() {
        let reader = Reader()
        let log = DaemonLog(isVerbose: true, clock: SystemClock()) { reader.received($0) }
        reader.room = 0
        log.trouble("lost")
        reader.room = 1
        log.trouble("lost too")
        reader.room = 2
        log.trouble("told")
        #expect(
            reader.lines == [
                "1 lines are missing here, because nobody read them\n",
                "1 lines are missing here, because nobody read them\n", "told\n",
            ])
    }

    @Test @PMActor func `events are told with -v alone`() {
        let reader = Reader()
        let log = DaemonLog(isVerbose: false, clock: SystemClock()) { reader.received($0) }
        log.tell("an event")
        log.trouble("a failure")
        #expect(reader.lines == ["a failure\n"])
    }

    @Test @PMActor func `of a long turn it says how long it waited for a processor`() {
        let turn = LongTurn(
            duration: .milliseconds(200), cause: "status", share: .milliseconds(190), waited: .milliseconds(170))
        #expect(
            turn.sentence == "its loop was busy for 200 ms without a pause, 190 ms of them with status; "
                + "it waited 170 ms of them for a processor")
    }

    @Test @PMActor func `of long turns the first is told, and then those that took twice as long`() {
        let reader = Reader()
        let log = DaemonLog(isVerbose: false, clock: SystemClock()) { reader.received($0) }
        for length in [60, 80, 119, 120, 200, 60, 240] {
            log.tell(LongTurn(duration: .milliseconds(length), cause: "status", share: .milliseconds(length - 10)))
        }
        #expect(
            reader.lines
                == [60, 120, 240].map {
                    "its loop was busy for \($0) ms without a pause, \($0 - 10) ms of them with status\n"
                })
    }
}
