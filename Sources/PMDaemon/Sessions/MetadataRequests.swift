import PMModel
import PMSystem

/// Which services have not said yet what they offer: those that an earlier daemon started, and that were asked, and those
/// that are starting. Until they have, this daemon would deny commands that are there.
@PMActor
final class MetadataRequests {
    /// A service that takes longer is taken for one that offers nothing, until it answers.
    private static let answerTimeout = Duration.seconds(2)
    /// A call of a service that is starting waits so long for it.
    private static let startTimeout = Duration.seconds(10)

    private struct Waiter {
        /// The unit whose answer it waits for; nil: all units.
        let unit: String?
        let body: @PMActor () -> Void
    }

    private let reactor: Reactor
    private var awaited: Set<IncarnationID> = []
    private var starting: Set<IncarnationID> = []
    private var waiters: [Waiter] = []

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// The service was asked.
    func begin(_ service: IncarnationID) {
        awaited.insert(service)
        reactor.after(Self.answerTimeout) { [weak self] in self?.end(service) }
    }

    /// The service is starting, and says what it offers when it is ready.
    func expect(_ service: IncarnationID) {
        starting.insert(service)
        reactor.after(Self.startTimeout) { [weak self] in self?.end(service) }
    }

    /// Notes that the service answered, or is gone.
    func end(_ service: IncarnationID) {
        let (wasStarting, wasAwaited) = (starting.remove(service) != nil, awaited.remove(service) != nil)
        guard wasStarting || wasAwaited else { return }
        let over = waiters.filter { !isAwaited($0.unit) }
        waiters.removeAll { !isAwaited($0.unit) }
        for waiter in over { waiter.body() }
    }

    /// Does something as soon as the unit has answered, or with nil every service that was asked: at once, if none was. Who
    /// wants to know of all services does not wait for those that are starting.
    func whenOver(of unit: String?, _ body: @escaping @PMActor () -> Void) {
        guard isAwaited(unit) else { return body() }
        waiters.append(Waiter(unit: unit, body: body))
    }

    private func isAwaited(_ unit: String?) -> Bool {
        guard let unit else { return !awaited.isEmpty }
        return [awaited, starting].contains { services in
            services.contains { $0.unit == unit || InstanceName.unit(of: $0.unit) == unit }
        }
    }
}
