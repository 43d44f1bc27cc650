/// How much the clients of the gateway may make it hold: each of them, and all together.
///
/// What is counted is what waits for more bytes or for an answer: first lines, bodies, frames and messages of WebSocket, lists of
/// answers, and lines of the daemon that have no end yet.
final class MemoryBudget {
    private let limits: GatewayLimits
    /// Bytes that all clients together hold.
    private(set) var held = 0

    init(_ limits: GatewayLimits) {
        self.limits = limits
    }

    /// Why a client is refused more.
    enum Refusal: Equatable {
        /// It holds as much as one client may.
        case client(Int)
        /// All clients together hold as much as they may.
        case all(Int)

        /// For people.
        var message: String {
            switch self {
            case .client(let limit): "a client may make the gateway hold at most \(limit) bytes"
            case .all(let limit): "all clients together make the gateway hold more than \(limit) bytes"
            }
        }
    }

    fileprivate func change(_ from: Int, _ to: Int) -> Refusal? {
        guard to > from else {
            held -= from - to
            return nil
        }
        guard to <= limits.clientMemory else { return .client(limits.clientMemory) }
        guard held + to - from <= limits.memory else { return .all(limits.memory) }
        held += to - from
        return nil
    }
}

/// What one client makes the gateway hold. Its end gives all of it back.
final class MemoryAccount {
    /// What is held, each with a size of its own.
    enum Part: Int, CaseIterable {
        /// The first line, the body of a request, or frames that have no end yet.
        case input
        /// A message of several frames.
        case message
        /// The answers to a list.
        case answers
        /// A line of the daemon that has no end yet.
        case line
    }

    private let budget: MemoryBudget
    private var sizes = [Int](repeating: 0, count: Part.allCases.count)
    private var total = 0

    init(_ budget: MemoryBudget) {
        self.budget = budget
    }

    deinit {
        _ = budget.change(total, 0)
    }

    /// Notes how large a part is now; an unchanged size is noted, and the reason returned, when that is too much.
    func set(_ part: Part, _ bytes: Int) -> MemoryBudget.Refusal? {
        let sum = total - sizes[part.rawValue] + bytes
        if let refusal = budget.change(total, sum) { return refusal }
        sizes[part.rawValue] = bytes
        total = sum
        return nil
    }

    /// Gives back what a part held.
    func release(_ part: Part) {
        _ = set(part, 0)  // less is never refused
    }
}
