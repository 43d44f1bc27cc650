public import PMSystem

/// Follows a log: what arrives waits here until it is asked for; when too much waits, the oldest goes and is counted.
@PMActor
public final class LogSubscription {
    /// What a follower gets.
    public enum Event: Equatable, Sendable {
        /// Bytes that arrived at once, and where they end in the log; nil while the disk refuses them.
        case chunk(LogStamp, [UInt8], end: LogPosition?)
        /// So many bytes were left out here because the follower was too slow.
        case dropped(Int)
    }

    /// Called when something waits and nothing did before.
    public var onAvailable: (@PMActor () -> Void)?
    private var held: HeldOutput
    private let onCancel: @PMActor (LogSubscription) -> Void

    init(limit: Int, onCancel: @escaping @PMActor (LogSubscription) -> Void) {
        held = HeldOutput(limit: limit)
        self.onCancel = onCancel
    }

    /// The next event; nil when nothing waits.
    public func next() -> Event? {
        let dropped = held.takeDropped()
        if dropped > 0 { return .dropped(dropped) }
        return held.popFirst().map { .chunk($0.stamp, $0.bytes, end: $0.end) }
    }

    /// Ends following.
    public func cancel() {
        onAvailable = nil
        onCancel(self)
    }

    func push(_ bytes: [UInt8], _ stamp: LogStamp, endsAt end: LogPosition?) {
        let wasEmpty = held.isEmpty
        held.append(bytes, stamp, endsAt: end)
        if wasEmpty { onAvailable?() }
    }
}
