public import PMSystem

/// Follows a log: what arrives waits here until it is asked for; when too much waits, the oldest goes and is counted.
@PMActor
public final class LogSubscription {
    /// What a follower gets.
    public enum Event: Equatable, Sendable {
        /// Bytes that arrived at once.
        case chunk(LogStamp, [UInt8])
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
        return held.popFirst().map { .chunk($0.stamp, $0.bytes) }
    }

    /// Ends following.
    public func cancel() {
        onAvailable = nil
        onCancel(self)
    }

    func push(_ bytes: [UInt8], _ stamp: LogStamp) {
        let wasEmpty = held.isEmpty
        held.append(bytes, stamp)
        if wasEmpty { onAvailable?() }
    }
}
