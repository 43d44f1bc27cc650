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

    private struct Wait {
        let reason: Reason
        /// Ends the wait for a service that says nothing.
        let limit: TimerID
    }

    private enum Reason { case wasAsked, isStarting }

    private let reactor: Reactor
    private var awaited: [IncarnationID: Wait] = [:]
    private var waiters: [Waiter] = []

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// The service was asked.
    func asked(_ service: IncarnationID) {
        wait(for: service, .wasAsked, within: Self.answerTimeout)
    }

    /// The service is starting, and says what it offers when it is ready.
    func expect(_ service: IncarnationID) {
        wait(for: service, .isStarting, within: Self.startTimeout)
    }

    private func wait(for service: IncarnationID, _ reason: Reason, within limit: Duration) {
        let timer = reactor.after(limit) { [weak self] in self?.end(service) }
        let before = awaited.updateValue(Wait(reason: reason, limit: timer), forKey: service)
        if let before { reactor.cancel(before.limit) }
    }

    /// Notes that the service answered, or is gone.
    func end(_ service: IncarnationID) {
        guard let wait = awaited.removeValue(forKey: service) else { return }
        // Every start comes by here: a limit that is not taken back would wake the daemon for nothing.
        reactor.cancel(wait.limit)
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
        awaited.contains { service, wait in
            guard let unit else { return wait.reason == .wasAsked }
            return service.unit == unit || InstanceName.unit(of: service.unit) == unit
        }
    }
}
