import PMModel
import Testing

@testable import PMSystem

/// Turns of the loop that are too long, and their causes, by a clock that the test sets.
@Suite struct TurnMeterTests {
    private func time(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
    }

    @Test func `a turn at the limit is no long one`() {
        var meter = TurnMeter()
        meter.start(at: time(0))
        meter.endPiece(at: time(50), .timers)
        #expect(meter.end(at: time(50)) == nil)
        #expect(meter.count == 0 && meter.longest == nil)
    }

    @Test func `a longer one has the longest of its pieces for its cause`() {
        var meter = TurnMeter()
        meter.start(at: time(0))
        meter.endPiece(at: time(10), .timers)
        meter.cause = "status"
        meter.endPiece(at: time(50), .descriptor(7))
        meter.endPiece(at: time(60), .descriptor(7))
        let turn = LongTurn(duration: .milliseconds(61), cause: "status", share: .milliseconds(40))
        #expect(meter.end(at: time(61)) == turn)
        #expect(meter.longest == turn)
    }

    @Test func `what a piece was about does not stay for the next, nor for the next turn`() {
        var meter = TurnMeter()
        meter.start(at: time(0))
        meter.cause = "status"
        meter.endPiece(at: time(1), .descriptor(7))
        meter.endPiece(at: time(90), .timers)
        #expect(meter.end(at: time(90))?.cause == "timers")
        meter.cause = "left over"
        meter.start(at: time(100))
        meter.endPiece(at: time(160), .idleWork)
        #expect(meter.end(at: time(160))?.cause == "work for idle turns")
    }

    @Test func `time that a turn waited for a processor is not its own`() {
        var meter = TurnMeter()
        for (length, waited) in [(200, 170), (90, 30), (300, 900)] {
            meter.start(at: time(0))
            meter.endPiece(at: time(length), .descriptor(length))
            let turn = meter.end(at: time(length), waited: .milliseconds(waited))
            #expect(turn?.own == .milliseconds(max(0, length - waited)))
        }
        #expect(meter.count == 3 && meter.busyCount == 1)
        #expect(meter.longest?.cause == "descriptor 90" && meter.longest?.waited == .milliseconds(30))
    }

    @Test func `the kernel is asked for it at the begins of turns that are some time apart`() {
        var (total, looks) = (0, 0)
        var waits = ProcessorWait {
            looks += 1
            return .milliseconds(total)
        }
        waits.turnBegins(at: time(0))
        total = 2
        waits.turnBegins(at: time(4))
        #expect(looks == 1 && waits.ofTurn == .milliseconds(2))
        total = 100
        waits.turnBegins(at: time(9))
        total = 130
        #expect(waits.ofTurn == .milliseconds(30))
        var without = ProcessorWait { nil }
        without.turnBegins(at: time(0))
        #expect(without.ofTurn == .zero)
    }

    @Test func `and tells it of the thread that asks`() {
        var waits = ProcessorWait.ofThread()
        waits.turnBegins(at: time(0))
        #expect(waits.ofTurn >= .zero && waits.ofTurn < .seconds(60))
    }

    @Test func `the longest of all is kept, and all are counted`() {
        var meter = TurnMeter()
        for length in [60, 90, 70] {
            meter.start(at: time(0))
            meter.endPiece(at: time(length), .descriptor(length))
            _ = meter.end(at: time(length))
        }
        #expect(meter.count == 3 && meter.longest?.cause == "descriptor 90")
    }
}
