import PMModel
import PMTestSupport
import Testing

@testable import PMSystem

/// The order of timers, whatever was taken back.
@Suite(.loop) struct TimerHeapTests {
    @Test(arguments: 0..<20) @PMActor func `timers are due in their order after most were taken back`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var heap = TimerHeap()
        var due: [Int] = []
        let times = (0..<500).map { _ in Int.random(in: 0..<1_000, using: &random) }
        let timers = times.map { time in heap.add(at: MonotonicTime(nanoseconds: UInt64(time))) { due.append(time) } }
        let left = (0..<500).filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
        for (place, timer) in timers.enumerated() where !left.contains(place) { heap.cancel(timer) }
        let end = MonotonicTime(nanoseconds: 1_000)
        while let body = heap.popDue(end, addedUpTo: heap.lastNumber) { body() }
        #expect(due == left.map { times[$0] }.sorted() && heap.isEmpty)
    }

    @Test @PMActor func `a timer that another one adds is not due in the same turn`() {
        var heap = TimerHeap()
        let now = MonotonicTime(nanoseconds: 1_000)
        _ = heap.add(at: now) {}
        let newest = heap.lastNumber
        #expect(heap.popDue(now, addedUpTo: newest) != nil)
        _ = heap.add(at: now) {}
        #expect(heap.popDue(now, addedUpTo: newest) == nil)
        #expect(heap.popDue(now, addedUpTo: heap.lastNumber) != nil)
    }
}
