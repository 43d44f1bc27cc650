import Glibc
import PMModel
import PMSystem
import PMTestSupport
import Testing

@Suite struct `The reactor` {
    let reactor = TestLoop.reactor

    @Test @PMActor func `timers fire in the order of their deadlines and never early`() async {
        let start = reactor.clock.monotonic()
        let seen: [Int] = await withCheckedContinuation { continuation in
            var seen: [Int] = []
            for (name, delay) in [(3, 6), (1, 2), (2, 4)] {
                reactor.after(.milliseconds(delay)) {
                    seen.append(name)
                    if seen.count == 3 { continuation.resume(returning: seen) }
                }
            }
        }
        #expect(seen == [1, 2, 3])
        #expect(reactor.clock.monotonic() - start >= .milliseconds(6))
    }

    @Test @PMActor func `work in slices leaves turns to others, and comes to its end in order`() async {
        var (seen, turns): ([Int], Set<UInt64>) = ([], [])
        await withCheckedContinuation { continuation in
            reactor.inSlices(5, "a test") { [reactor] number in
                seen.append(number)
                turns.insert(reactor.turn)
                // Each takes longer than a slice.
                let end = reactor.clock.monotonic() + .milliseconds(5)
                while reactor.clock.monotonic() < end {}
            } then: {
                continuation.resume()
            }
        }
        #expect(seen == [0, 1, 2, 3, 4] && turns.count == 5)
    }

    @Test @PMActor func `works in slices that follow each other share the time of a turn`() async {
        var turns: [UInt64] = []
        let work: @PMActor () -> Void = { [reactor] in
            turns.append(reactor.turn)
            let end = reactor.clock.monotonic() + .milliseconds(5)
            while reactor.clock.monotonic() < end {}
        }
        await withCheckedContinuation { continuation in
            reactor.inSlices([work, work], "a test")
            // Begun in the turn in which the first one took all the time.
            reactor.inSlices(1, "a test", { _ in work() }, then: { continuation.resume() })
        }
        #expect(Set(turns).count == 3)
    }

    @Test @PMActor func `a timer can take back another that is due in the same turn`() async {
        var fired: [String] = []
        await withCheckedContinuation { continuation in
            let second = TimerBox()
            let now = reactor.clock.monotonic()
            reactor.at(now) { [reactor] in
                fired.append("first")
                if let timer = second.timer { reactor.cancel(timer) }
            }
            second.timer = reactor.at(now) { fired.append("second") }
            reactor.after(.milliseconds(1)) { continuation.resume() }
        }
        #expect(fired == ["first"])
    }

    @Test @PMActor func `a timer added by a timer waits for the next turn`() async {
        var order: [Int] = []
        await withCheckedContinuation { continuation in
            let now = reactor.clock.monotonic()
            reactor.at(now) {
                reactor.at(now) {
                    order.append(3)
                    continuation.resume()
                }
                order.append(1)
            }
            reactor.at(now) { order.append(2) }
        }
        #expect(order == [1, 2, 3])
    }

    @Test @PMActor func `ten thousand cancelled timers leave nothing that fires`() async {
        var fired = 0
        let timers = (0..<10_000).map { _ in reactor.after(.milliseconds(1)) { fired += 1 } }
        for timer in timers { reactor.cancel(timer) }
        await reactor.sleep(for: .milliseconds(3))
        #expect(fired == 0)
    }

    @Test @PMActor func `a readable descriptor wakes the loop`() async throws {
        let (reading, writing) = try Pipe.make()
        reactor.after(.zero) { _ = write(writing.raw, "x", 1) }
        let events = try await reactor.next(.readable, of: reading.raw)
        #expect(events.contains(.readable))
    }

    @Test @PMActor func `an event of a descriptor that another handler closed is not delivered`() async throws {
        let (first, firstEnd) = try Pipe.make()
        let (second, secondEnd) = try Pipe.make()
        _ = write(firstEnd.raw, "x", 1)
        _ = write(secondEnd.raw, "x", 1)
        var delivered = 0
        let handler: Reactor.Handler = { [reactor] _ in
            delivered += 1
            reactor.unwatch(first.raw)
            reactor.unwatch(second.raw)
        }
        try reactor.watch(first.raw, .readable, handler)
        try reactor.watch(second.raw, .readable, handler)
        await reactor.sleep(for: .milliseconds(2))
        #expect(delivered == 1)
    }

    @Test func `jobs of other threads reach the loop`() async {
        let total = await withTaskGroup(of: Int.self) { group in
            for number in 0..<1000 { group.addTask { await onLoop(number) } }
            return await group.reduce(0, +)
        }
        #expect(total == 499_500)
    }
}

@PMActor private final class TimerBox {
    var timer: TimerID?
}

@PMActor private func onLoop(_ number: Int) -> Int { number }
