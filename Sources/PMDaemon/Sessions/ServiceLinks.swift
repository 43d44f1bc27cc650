import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// The channels to the services: connects the supervisor, which starts and stops them, with the registry, which calls
/// them.
@PMActor
final class ServiceLinks: ServiceChannels {
    private let registry: CommandRegistry
    private let router: ServiceRouter
    private let metadataRequests: MetadataRequests
    private let onTrouble: @PMActor (String) -> Void
    private let units: UnitResolver

    init(
        _ router: ServiceRouter, _ metadataRequests: MetadataRequests, _ units: UnitResolver,
        onTrouble: @escaping @PMActor (String) -> Void
    ) {
        self.router = router
        registry = router.registry
        self.metadataRequests = metadataRequests
        self.units = units
        self.onTrouble = onTrouble
    }

    func open(_ channel: StreamDescriptors, to service: IncarnationID, _ kind: ChannelKind) {
        do throws(SystemError) {
            let session = try router.open(
                channel, .service(service), form: kind == .nodeIPC ? .nodeIPC : .lines)
            let unit = units.find(service.unit)
            if let timeout = unit?.mapping.callTimeout, timeout > .zero { session.callTimeout = timeout }
            if kind == .contained { session.reach = .services }
            // What reads bytes of strangers may say how it is, and nothing else.
            if service.unit == GatewayController.unit { session.reach = .proof }
            registry.add(service, session)
            if unit?.definition.isCommandable == false { registry.hide(service) }
            metadataRequests.expect(service)
        } catch {
            onTrouble("the channel to \(service.unit) cannot be used: \(error)")
        }
    }

    /// Greets a service that an earlier daemon has started: tells it, if so, that calls to that daemon are not answered any
    /// more, and asks what it offers. A container of the reference knows no `$restarted`.
    func greet(_ service: IncarnationID, isInterrupted: Bool) {
        guard let session = registry.service(service.unit)?.session else { return }
        if isInterrupted && session.form == .lines { session.notify("$restarted") }
        metadataRequests.asked(service)
        session.call("$metadata", [.null]) { [weak self] result in
            self?.publish(result, of: service)
        }
    }

    private func publish(_ result: Result<JSONValue, RPCError>, of service: IncarnationID) {
        defer { metadataRequests.end(service) }
        do {
            try registry.publish(try ServiceMetadata(json: result.get()), of: service)
        } catch {
            let reason = (error as? RPCError)?.message ?? "\(error)"
            onTrouble("\(service.unit) does not say what it offers: \(reason)")
        }
    }

    func close(_ service: IncarnationID) {
        metadataRequests.end(service)
        registry.remove(service)?.session.connection.close()
    }

    func ping(_ service: IncarnationID, _ done: @escaping @PMActor () -> Void) {
        guard let link = registry.service(service.unit), link.id == service, !link.session.connection.isClosed else {
            return
        }
        link.session.call("$ping", .array([])) { [weak link] _ in
            // The end of the connection is no answer.
            if link?.session.connection.isClosed == false { done() }
        }
    }

    func watch(_ service: IncarnationID, _ onSilence: @escaping @PMActor (MonotonicTime) -> Void) {
        guard let link = registry.service(service.unit), link.id == service else { return }
        router.watchSilence(of: link.session, onSilence)
    }

    func takesPings(_ service: IncarnationID) -> Bool {
        guard let link = registry.service(service.unit), link.id == service else { return false }
        // One that has not told this daemon what it takes may be the one that does not respond.
        guard let metadata = link.metadata else { return true }
        return metadata.others["accepts"]?.array?.contains("$ping") ?? false
    }

    func drain(_ service: IncarnationID, _ done: @escaping @PMActor () -> Void) { router.drain(service, done) }

    func callStop(of service: IncarnationID, _ done: @escaping @PMActor (StopCommandResult) -> Void) {
        guard let link = registry.service(service.unit), link.id == service, link.has("$stop") else {
            return done(.failed)
        }
        link.session.call("$stop", [.null]) { result in
            switch result {
            case .success: done(.answered)
            case .failure: done(.failed)
            }
        }
    }
}
