/// Output that waits: the newest chunks, whole, up to a limit in bytes; older ones go and are counted.
struct HeldOutput {
    /// Memory of a chunk beside its bytes.
    private static let overhead = 64

    private let limit: Int
    /// A chunk, and where it ends in the log if it is there already.
    typealias Chunk = (stamp: LogStamp, bytes: [UInt8], end: LogPosition?)

    private var chunks: [Chunk] = []
    private var head = 0
    /// Memory in bytes: the chunks, and an overhead for each.
    private(set) var weight = 0
    /// Streams that lost bytes right before the next chunk: what comes next does not go on in the line before.
    private var torn: Set<LogStream> = []
    /// Bytes lost since the last `takeDropped`.
    private var dropped = 0
    /// The number of bytes that were ever lost.
    private(set) var droppedEver = 0

    init(limit: Int = 65536) {
        self.limit = max(limit, 1)
    }

    /// True when nothing waits, not even the report of a loss.
    var isEmpty: Bool { head == chunks.count && dropped == 0 }

    /// Keeps bytes, at the cost of older ones; where `most` is less than its limit, it weighs no more than that.
    mutating func append(_ bytes: [UInt8], _ stamp: LogStamp, endsAt end: LogPosition? = nil, most: Int = .max) {
        let limit = min(limit, most)
        guard limit > Self.overhead else { return drop(bytes.count, of: stamp.stream) }
        let surplus = max(0, bytes.count - limit)
        let kept = surplus == 0 ? bytes : Array(bytes[surplus...])
        weight += kept.count + Self.overhead
        while head < chunks.count && weight > limit { dropFirst() }
        if surplus > 0 { drop(surplus, of: stamp.stream) }
        chunks.append((stamp, kept, end))
    }

    /// The oldest held chunk, which is then no longer held.
    mutating func popFirst() -> Chunk? {
        guard head < chunks.count else { return nil }
        var first = takeFirst()
        if torn.remove(first.stamp.stream) != nil { first.stamp.startsAnew = true }
        return first
    }

    /// Holds again the rest of a chunk that was popped and could only be written in part.
    mutating func putBack(_ bytes: [UInt8], _ stamp: LogStamp) {
        guard !bytes.isEmpty else { return }
        chunks.insert((stamp, bytes, nil), at: head)
        weight += bytes.count + Self.overhead
    }

    /// Bytes lost since the last call.
    mutating func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }

    /// Takes back a `takeDropped`, because the report of the loss could not be written.
    mutating func restoreDropped(_ count: Int) {
        dropped += count
    }

    private mutating func dropFirst() {
        let first = takeFirst()
        drop(first.bytes.count, of: first.stamp.stream)
    }

    private mutating func drop(_ count: Int, of stream: LogStream) {
        dropped += count
        droppedEver += count
        torn.insert(stream)
    }

    private mutating func takeFirst() -> Chunk {
        let first = chunks[head]
        chunks[head].bytes = []
        head += 1
        weight -= first.bytes.count + Self.overhead
        if head == chunks.count {
            chunks.removeAll(keepingCapacity: head < 64)
            head = 0
        } else if head > 64 && head * 2 > chunks.count {
            chunks.removeFirst(head)
            head = 0
        }
        return first
    }
}
