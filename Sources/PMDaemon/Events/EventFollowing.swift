import PMAPI
import PMSystem

/// The newest events, for those who follow: one memory for all of them.
struct RecentEvents {
    /// Bytes of the lines of these events.
    static let mostBytes = 1 << 20  // bounded: a literal

    private var events: [(event: EventRecord, bytes: Int)] = []
    private var first = 0
    private var bytes = 0
    private let most: Int

    init(mostBytes: Int = RecentEvents.mostBytes) { most = mostBytes }

    /// Adds the next event; the oldest go when there are too many.
    mutating func add(_ event: EventRecord, bytes count: Int) {
        events.append((event, count))
        bytes += count
        while bytes > most, first < events.count {
            bytes -= events[first].bytes
            first += 1
        }
        // The numbers of the others stay what they are.
        guard first > events.count / 2 else { return }
        events.removeFirst(first)
        first = 0
    }

    /// The event with this number, or the number of the oldest one that is here; nil when none is newer.
    func event(_ seq: UInt64) -> (event: EventRecord, missed: UInt64)? {
        guard first < events.count, let last = events.last?.event.seq, seq <= last else { return nil }
        let oldest = events[first].event.seq
        guard seq >= oldest else { return (events[first].event, oldest - seq) }
        return (events[first + Int(seq - oldest)].event, 0)
    }
}

/// Where somebody who follows is.
@PMActor
final class EventFollowing {
    private var onAvailable: (@PMActor () -> Void)?
    private var seq: UInt64
    private let find: @PMActor (UInt64) -> (event: EventRecord, missed: UInt64)?
    private let onCancel: @PMActor (EventFollowing) -> Void

    init(
        from seq: UInt64, _ find: @escaping @PMActor (UInt64) -> (event: EventRecord, missed: UInt64)?,
        onCancel: @escaping @PMActor (EventFollowing) -> Void
    ) {
        (self.seq, self.find, self.onCancel) = (seq, find, onCancel)
    }

    /// The next event, or the number of those that went before they were taken; nil: `notify` says when there is one.
    func next() -> EventFrame? {
        guard let found = find(seq) else { return nil }
        seq = found.event.seq
        if found.missed > 0 { return .missed(found.missed) }
        seq += 1
        return .event(found.event)
    }

    /// Calls `body` whenever there is an event to take; with nil no more.
    func notify(_ body: (@PMActor () -> Void)?) { onAvailable = body }

    /// There is an event to take.
    func available() { onAvailable?() }

    /// Ends following.
    func cancel() {
        onAvailable = nil
        onCancel(self)
    }
}
