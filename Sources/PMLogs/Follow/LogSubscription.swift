public import PMSystem

/// Learns that a log has new output.
@PMActor
public protocol LogSubscriptionObserver: AnyObject {
    /// Something waits, and nothing did before.
    func outputWaits()
}

/// Follows a log: what arrives waits here until it is asked for; when too much waits, the oldest goes and is counted.
@PMActor
public final class LogSubscription {
    /// An event for a follower.
    public enum Event: Equatable, Sendable {
        /// Bytes that arrived at once, and where they end in the log; nil while the disk refuses them.
        case chunk(LogStamp, [UInt8], end: LogPosition?)
        /// So many bytes were left out here because the follower was too slow.
        case dropped(Int)
    }

    /// The follower, once it wants to know of new output.
    public weak var observer: (any LogSubscriptionObserver)?
    private var held: HeldOutput
    private let memory: FollowerMemory
    private let onCancel: @PMActor (LogSubscription) -> Void

    init(limit: Int, _ memory: FollowerMemory, onCancel: @escaping @PMActor (LogSubscription) -> Void) {
        held = HeldOutput(limit: limit)
        self.memory = memory
        self.onCancel = onCancel
    }

    /// The next event; nil when nothing waits.
    public func next() -> Event? {
        let dropped = held.takeDropped()
        if dropped > 0 { return .dropped(dropped) }
        let before = held.weight
        defer { memory.held += held.weight - before }
        return held.popFirst().map { .chunk($0.stamp, $0.bytes, end: $0.end) }
    }

    /// Ends following.
    public func cancel() {
        observer = nil
        memory.held -= held.weight
        precondition(memory.held >= 0, "followers hold less than nothing")
        held = HeldOutput(limit: 1)
        onCancel(self)
    }

    func push(_ bytes: [UInt8], _ stamp: LogStamp, endsAt end: LogPosition?) {
        let wasEmpty = held.isEmpty
        let before = held.weight
        held.append(bytes, stamp, endsAt: end, most: before + max(0, memory.limit - memory.held))
        memory.held += held.weight - before
        if wasEmpty { observer?.outputWaits() }
    }
}

/// Memory of all followers' unread lines: above the limit, a follower keeps no more than it has, and the oldest lines
/// are dropped.
@PMActor
final class FollowerMemory {
    let limit: Int
    var held = 0

    init(limit: Int) {
        self.limit = limit
    }
}
