import PMModel
import PMSystem

/// Which services that an earlier daemon started were asked what they offer and have not said so yet. Until they have,
/// this daemon would deny commands that are there.
@PMActor
final class MetadataRequests {
    /// A service that takes longer is taken for one that offers nothing, until it answers.
    private static let answerTimeout = Duration.seconds(2)

    private struct Waiter {
        /// The unit whose answer it waits for; nil: all units.
        let unit: String?
        let body: @PMActor () -> Void
    }

    private let reactor: Reactor
    private var awaited: Set<IncarnationID> = []
    private var waiters: [Waiter] = []

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// The service was asked.
    func begin(_ service: IncarnationID) {
        awaited.insert(service)
        reactor.after(Self.answerTimeout) { [weak self] in self?.end(service) }
    }

    /// Notes that the service answered, or is gone.
    func end(_ service: IncarnationID) {
        guard awaited.remove(service) != nil else { return }
        let over = waiters.filter { !isAwaited($0.unit) }
        waiters.removeAll { !isAwaited($0.unit) }
        for waiter in over { waiter.body() }
    }

    /// Does something as soon as the unit, or every service, has answered: at once, if nobody was asked.
    func whenOver(of unit: String?, _ body: @escaping @PMActor () -> Void) {
        guard isAwaited(unit) else { return body() }
        waiters.append(Waiter(unit: unit, body: body))
    }

    private func isAwaited(_ unit: String?) -> Bool {
        guard let unit else { return !awaited.isEmpty }
        return awaited.contains { $0.unit == unit || InstanceName.unit(of: $0.unit) == unit }
    }
}
