import JSON
import PMAPI
import PMModel
import PMRouting
import PMSystem

/// Refusals of a span of time: the first of each caller and method is an event, and the others are counted for one more, so that
/// a client that is refused all the time fills no file.
struct RefusalCounts {
    /// Who was refused, and what.
    struct Key: Hashable {
        let caller: String
        let what: String
    }

    /// Callers and methods that are distinguished in one span.
    static let mostKeys = 32
    static let span = Duration.seconds(10)
    static let others = Key(caller: "other callers", what: "other methods")

    private var counts: [Key: Int] = [:]

    /// True when nothing was refused since the last span.
    var isEmpty: Bool { counts.isEmpty }

    /// Notes a refusal; returns whether it is an event of its own.
    mutating func note(_ key: Key) -> Bool {
        let key = counts[key] == nil && counts.count >= Self.mostKeys ? Self.others : key
        counts[key, default: 0] += 1
        return counts[key] == 1 && key != Self.others
    }

    /// Ends the span: the refusals that no event has reported.
    mutating func end() -> [(key: Key, count: Int)] {
        let left = counts.map { (key: $0.key, count: $0.key == Self.others ? $0.value : $0.value - 1) }
        counts = [:]
        return left.filter { $0.count > 0 }.sorted { ($0.key.caller, $0.key.what) < ($1.key.caller, $1.key.what) }
    }
}

/// Makes events of calls and connections that are refused.
@PMActor
final class RefusalEvents {
    private let store: EventStore
    private let reactor: Reactor
    private var counts = RefusalCounts()
    private static let longestMethod = 200

    init(_ store: EventStore, _ reactor: Reactor) { (self.store, self.reactor) = (store, reactor) }

    /// A call whose caller has no right to it.
    func refused(_ method: String, from session: Session) {
        let caller: String
        switch session.origin {
        case .service(let service): caller = "service \(service.unit)"
        case .client(let peer): caller = session.isOfNetwork ? "a client on the network" : "user \(peer.user)"
        }
        note(
            RefusalCounts.Key(
                caller: caller, what: String(decoding: method.utf8.prefix(Self.longestMethod), as: UTF8.self)))
    }

    /// A connection of a user whom the daemon does not serve.
    func refused(_ peer: PeerCredentials) { note(RefusalCounts.Key(caller: "user \(peer.user)", what: "connect")) }

    private func note(_ key: RefusalCounts.Key) {
        if counts.isEmpty { reactor.after(RefusalCounts.span) { [weak self] in self?.endSpan() } }
        if counts.note(key) { publish(key, count: 1) }
    }

    private func endSpan() {
        for (key, count) in counts.end() { publish(key, count: count) }
    }

    private func publish(_ key: RefusalCounts.Key, count: Int) {
        let times = count == 1 ? "" : " \(count) more times"
        store.publish(
            EventRecord(
                .refused, "\(key.what) was refused\(times): \(key.caller) may not do that",
                [("caller", .string(key.caller)), ("method", .string(key.what)), ("count", .number(JSONNumber(count)))])
        )
    }
}
