import Glibc
import PMTestSupport
import Testing

@testable import PMSystem

@Suite struct `Work that may wait` {
    @Test @PMActor func `is done in order, one piece a turn, when nothing else is to be done`() {
        var work = IdleQueue()
        var done: [Int] = []
        for number in 1...3 { work.add { done.append(number) } }
        work.next(isBusy: false)?()
        #expect(done == [1] && !work.isEmpty)
        work.add { done.append(4) }
        while let body = work.next(isBusy: false) { body() }
        #expect(done == [1, 2, 3, 4] && work.isEmpty)
    }

    @Test @PMActor func `is done every fourth turn while there is always something else`() {
        var work = IdleQueue()
        for _ in 1...3 { work.add {} }
        let turns = (1...12).map { _ in work.next(isBusy: true) != nil }
        #expect(turns == [false, false, false, true, false, false, false, true, false, false, false, true])
    }

    @Test @PMActor func `lets events pass`() async throws {
        let reactor = TestLoop.reactor
        let (ours, theirs) = try UnixSocket.pair()
        var order: [String] = []
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            reactor.whenIdle {
                order.append("first")
                _ = "x".withCString { send(theirs.raw, $0, 1, 0) }
                reactor.whenIdle {
                    order.append("second")
                    done.resume()
                }
            }
            PMActor.start {
                // What fails shows as a missing entry.
                _ = try? await reactor.next(.readable, of: ours.raw)
                order.append("event")
            }
        }
        #expect(order == ["first", "event", "second"])
    }
}
