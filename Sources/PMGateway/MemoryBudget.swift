/// How much all clients together may make the gateway hold before it knows that they speak its protocol: first lines that have no
/// end yet.
final class MemoryBudget {
    private let limit: Int
    /// Bytes that all clients together hold.
    private(set) var held = 0

    init(_ limits: GatewayLimits) {
        limit = limits.memory
    }

    fileprivate func change(_ from: Int, _ to: Int) -> Bool {
        guard to <= from || held + to - from <= limit else { return false }
        held += to - from
        return true
    }

    fileprivate var refusal: String { "all clients together make the gateway hold more than \(limit) bytes" }
}

/// What one client makes the gateway hold. Who opens the account releases it.
final class MemoryAccount {
    private let budget: MemoryBudget
    private var size = 0

    init(_ budget: MemoryBudget) {
        self.budget = budget
    }

    /// Notes how many bytes are held now; when that is too much the size before stays, and the reason is returned.
    func set(_ bytes: Int) -> String? {
        guard budget.change(size, bytes) else { return budget.refusal }
        size = bytes
        return nil
    }

    /// Gives all back.
    func release() {
        _ = set(0)  // less is never refused
    }
}
