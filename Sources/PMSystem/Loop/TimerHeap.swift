import PMModel

/// Names a timer of a reactor, to take it back.
public struct TimerID: Hashable, Sendable {
    let number: UInt64
}

/// A binary heap of deadlines. Taking a timer back is O(1): its entry stays in the heap until it surfaces or until
/// more than half of the heap is such entries.
@PMActor
struct TimerHeap {
    private struct Entry {
        let at: MonotonicTime
        let number: UInt64

        /// Earlier first; of equal ones, the one that was added first.
        func precedes(_ other: Entry) -> Bool {
            at == other.at ? number < other.number : at < other.at
        }
    }

    private var heap: [Entry] = []
    private var bodies: [UInt64: @PMActor () -> Void] = [:]
    /// The number of the newest timer.
    private(set) var lastNumber: UInt64 = 0

    var isEmpty: Bool { bodies.isEmpty }

    /// The deadline of the timer that is due first.
    var next: MonotonicTime? {
        mutating get {
            dropCancelled()
            return heap.first?.at
        }
    }

    mutating func add(at time: MonotonicTime, _ body: @escaping @PMActor () -> Void) -> TimerID {
        lastNumber += 1
        bodies[lastNumber] = body
        heap.append(Entry(at: time, number: lastNumber))
        siftUp(heap.count - 1)
        return TimerID(number: lastNumber)
    }

    mutating func cancel(_ timer: TimerID) {
        guard bodies.removeValue(forKey: timer.number) != nil else { return }
        if heap.count > 64 && heap.count > 2 * bodies.count { compact() }
    }

    /// Takes the first timer that is due at `now` and was added no later than `newest`.
    ///
    /// One at a time, so that a body can take back a timer that is due in the same turn.
    mutating func popDue(_ now: MonotonicTime, addedUpTo newest: UInt64) -> (@PMActor () -> Void)? {
        dropCancelled()
        guard let first = heap.first, first.at <= now, first.number <= newest else { return nil }
        removeFirst()
        return bodies.removeValue(forKey: first.number)
    }

    private mutating func dropCancelled() {
        while let first = heap.first, bodies[first.number] == nil { removeFirst() }
    }

    private mutating func compact() {
        heap.removeAll { bodies[$0.number] == nil }
        // A sorted array is a valid heap.
        heap.sort { $0.precedes($1) }
        precondition(heap.count == bodies.count, "a timer has lost its deadline")
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].precedes(heap[least]) { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
