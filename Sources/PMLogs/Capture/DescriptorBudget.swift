/// Bounds how many logs are open at once: when one more opens, the one that was written to least recently closes.
///
/// An open log has two descriptors; thousands of units share the descriptors of one daemon.
public final class DescriptorBudget {
    private struct Claimant {
        unowned let store: LogStore
        var lastUse: UInt64
    }

    private let limit: Int
    private var holders: [ObjectIdentifier: Claimant] = [:]
    private var clock: UInt64 = 0

    /// Makes a budget for this many open logs, at least one.
    public init(openLogs limit: Int = 256) {
        self.limit = max(1, limit)
    }

    /// The number of open logs.
    public var openLogs: Int { holders.count }

    /// Notes that a log is about to open or in use, and closes another one when there is no room.
    func use(_ store: LogStore) {
        clock += 1
        let key = ObjectIdentifier(store)
        if holders[key] == nil && holders.count >= limit { closeOldest() }
        holders[key] = Claimant(store: store, lastUse: clock)
        precondition(holders.count <= limit, "a log that was closed still has its descriptors")
    }

    /// Notes that a log closed.
    func release(_ store: LogStore) {
        holders[ObjectIdentifier(store)] = nil
    }

    private func closeOldest() {
        // Linear over a few hundred, and only when a log opens, which costs far more.
        holders.values.min { $0.lastUse < $1.lastUse }?.store.close()
    }
}
