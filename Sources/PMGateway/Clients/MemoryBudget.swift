/// Limits the memory that clients use in the gateway: each of them, those of one source, and all together.
///
/// What is counted waits for more bytes, for an answer, or for a client that reads: first lines, bodies, frames and messages of
/// WebSocket, lists of answers, lines of the daemon, and answers that were not taken.
final class MemoryBudget {
    private let limits: GatewayLimits
    private var sources: [ClientSource: Int] = [:]
    /// Bytes that all clients together hold.
    private(set) var held = 0

    init(_ limits: GatewayLimits) {
        self.limits = limits
    }

    /// Why a client is refused more.
    enum Refusal: Error, Equatable {
        /// The client uses as much as one client may.
        case client(Int)
        /// The clients of its source hold as much as they may.
        case source(Int)
        /// All clients together hold as much as they may.
        case all(Int)

        /// The reason in words, for people.
        var message: String {
            switch self {
            case .client(let limit): "a client may make the gateway hold at most \(limit) bytes"
            case .source(let limit): "clients of one address may make the gateway hold at most \(limit) bytes"
            case .all(let limit): "all clients together make the gateway hold more than \(limit) bytes"
            }
        }
    }

    fileprivate func change(_ source: ClientSource, _ from: Int, _ to: Int) -> Refusal? {
        let own = sources[source] ?? 0
        if to > from {
            guard to <= limits.clientMemory else { return .client(limits.clientMemory) }
            guard own + to - from <= limits.memoryOfSource else { return .source(limits.memoryOfSource) }
            guard held + to - from <= limits.memory else { return .all(limits.memory) }
        }
        held += to - from
        sources[source] = own + to - from > 0 ? own + to - from : nil
        return nil
    }
}

/// Memory that one client uses in the gateway. The end of the client's connection releases it.
final class MemoryAccount {
    /// Parts of a client's memory, each with its own size.
    enum Part: Int, CaseIterable {
        /// The first line, or the body of a request.
        case input
        /// A frame that has no end yet.
        case frame
        /// A message of several frames.
        case message
        /// The answers to a list.
        case answers
        /// A line of the daemon that has no end yet.
        case line
        /// Bytes for the client that it has not read.
        case output
    }

    /// So much of each client is not counted: as much as its socket holds, and enough to tell it why it is refused.
    static let free = 16 << 10

    private let budget: MemoryBudget
    private let source: ClientSource
    private var sizes = [Int](repeating: 0, count: Part.allCases.count)
    private var total = 0
    private var isClosed = false

    init(_ budget: MemoryBudget, _ source: ClientSource) {
        self.budget = budget
        self.source = source
    }

    /// Notes how large a part is now; when that is too much the size before stays, and the reason is returned.
    func set(_ part: Part, _ bytes: Int) -> MemoryBudget.Refusal? {
        guard !isClosed else { return nil }
        let sum = total - sizes[part.rawValue] + bytes
        if let refusal = budget.change(source, Self.counted(total), Self.counted(sum)) { return refusal }
        sizes[part.rawValue] = bytes
        total = sum
        return nil
    }

    /// So many bytes more, or fewer.
    func add(_ part: Part, _ bytes: Int) -> MemoryBudget.Refusal? { set(part, sizes[part.rawValue] + bytes) }

    /// Gives back what a part held.
    func release(_ part: Part) {
        _ = set(part, 0)  // less is never refused
    }

    /// Gives everything back, for good.
    func close() {
        guard !isClosed else { return }
        _ = budget.change(source, Self.counted(total), 0)  // less is never refused
        isClosed = true
    }

    private static func counted(_ bytes: Int) -> Int { max(0, bytes - free) }
}
