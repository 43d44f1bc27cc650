public import PMModel
import PMSystem

// MARK: - Services that are about to be stopped

extension ServiceRouter {
    /// Lets a service answer the calls that it has, and gives it no new ones: other instances get them, and without
    /// another instance they fail and may be repeated. `done` is called once, when no call is left; at once if there is
    /// none, or if the service has no connection.
    public func drain(_ service: IncarnationID, _ done: @escaping @PMActor () -> Void) {
        guard let found = registry.service(service.unit), found.id == service, !found.session.connection.isClosed
        else { return done() }
        found.isDraining = true
        draining[found.session.id] = done
        noteAnswer(of: found.session.id)
    }

    /// Looks whether a service has answered its last call, if it is about to be stopped.
    func noteAnswer(of session: SessionID) {
        // Before this daemon serves, it does not know what calls its predecessor had.
        guard !draining.isEmpty, waiting == nil, !isHandedOver, draining[session] != nil,
            calls.owed(by: session) == 0
        else { return }
        draining.removeValue(forKey: session)?()
    }
}
