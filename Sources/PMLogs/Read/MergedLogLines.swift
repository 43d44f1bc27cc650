import PMModel
public import PMSystem

/// A line and the unit that wrote it.
public struct UnitLine: Equatable, Sendable {
    /// The unit's name.
    public let unit: String
    /// The line.
    public let line: LogLine
}

/// The lines of several units, merged by the time at which they began.
public struct MergedLogLines {
    private struct Head {
        let line: LogLine
        let source: Int

        /// Of lines that began at the same time, the one of the unit that was named first.
        func precedes(_ other: Head) -> Bool {
            line.time == other.line.time ? source < other.source : line.time < other.line.time
        }
    }

    private var sources: [(unit: String, lines: LogLines)]
    private var heap: [Head] = []
    private let limit: Int?
    private var hasBegun = false

    init(_ sources: [(String, LogLines)], limit: Int?) {
        self.sources = sources.map { (unit: $0.0, lines: $0.1) }
        self.limit = limit
    }

    /// The next line; nil at the end of all.
    ///
    /// - Throws: `SystemError` when the files cannot be read.
    public mutating func next() throws(SystemError) -> UnitLine? {
        if !hasBegun { try readFirstLines() }
        return try pop()
    }

    /// The place up to which a unit's bytes have been read, and its unfinished lines.
    public func state(of unit: String) -> LogLines? {
        sources.first { $0.unit == unit }?.lines
    }

    private mutating func readFirstLines() throws(SystemError) {
        hasBegun = true
        for source in sources.indices { try refill(source) }
        guard let limit else { return }
        // Each unit gives its last `limit` lines; of all together the oldest are left out.
        var counted = self
        var count = 0
        while try counted.pop() != nil { count += 1 }
        for _ in 0..<max(0, count - limit) { _ = try pop() }
    }

    private mutating func pop() throws(SystemError) -> UnitLine? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown()
        try refill(first.source)
        return UnitLine(unit: sources[first.source].unit, line: first.line)
    }

    private mutating func refill(_ source: Int) throws(SystemError) {
        guard let line = try sources[source].lines.next() else { return }
        heap.append(Head(line: line, source: source))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
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
