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
    private unowned let handler: any RequestHandler
    /// The number of this daemon under its pm-init.
    var generation: UInt64 = 0
    private let metadataRequests: MetadataRequests
    private let onTrouble: @PMActor (String) -> Void

    init(
        _ registry: CommandRegistry, _ metadataRequests: MetadataRequests, handler: any RequestHandler,
        onTrouble: @escaping @PMActor (String) -> Void
    ) {
        self.registry = registry
        self.metadataRequests = metadataRequests
        self.handler = handler
        self.onTrouble = onTrouble
    }

    func open(_ channel: SharedFD, to service: IncarnationID, _ kind: ChannelKind) {
        do throws(SystemError) {
            let peer = try Peer(
                channel, origin: .service(service), handler: handler, form: kind == .nodeIPC ? .nodeIPC : .lines)
            if kind == .contained { peer.reach = .services }
            // What reads bytes of strangers may say how it is, and nothing else.
            if service.unit == GatewayController.unit { peer.reach = .proof }
            peer.beginIDs(of: generation)
            registry.add(service, peer)
        } catch {
            onTrouble("the channel to \(service.unit) cannot be used: \(error)")
        }
    }

    /// Greets a service that an earlier daemon has started: tells it, if so, that calls to that daemon are not answered any
    /// more, and asks what it offers. A container of the reference knows no `$restarted`.
    func greet(_ service: IncarnationID, isInterrupted: Bool) {
        guard let peer = registry.service(service.unit)?.peer else { return }
        if isInterrupted && peer.form == .lines { peer.notify("$restarted") }
        metadataRequests.begin(service)
        peer.call("$metadata", [.null]) { [weak self] result in
            self?.publish(result, of: service)
        }
    }

    private func publish(_ result: Result<JSONValue, RPCError>, of service: IncarnationID) {
        defer { metadataRequests.end(service) }
        do {
            try registry.publish(try ServiceMetadata(json: result.get()), of: service)
        } catch {
            onTrouble("\(service.unit) does not say what it offers: \(error)")
        }
    }

    func close(_ service: IncarnationID) {
        metadataRequests.end(service)
        registry.remove(service)?.peer.connection.close()
    }

    func callStop(of service: IncarnationID, _ done: @escaping @PMActor (StopCommandResult) -> Void) {
        guard let link = registry.service(service.unit), link.id == service, link.has("$stop") else {
            return done(.failed)
        }
        link.peer.call("$stop", [.null]) { result in
            switch result {
            case .success: done(.answered)
            case .failure: done(.failed)
            }
        }
    }
}
