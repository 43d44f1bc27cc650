public import PMAPI
public import PMModel

/// Rights of a peer's requests.
public enum PeerReach: Equatable, Sendable {
    /// Wherever its user's rights do.
    case everything
    /// To services, and to what tells of them: nothing is ordered, changed or read of the machine.
    case services
    /// To what a list names, and to what tells of that.
    case allowed(AllowList)
    /// To nothing but the proof of who its client is: a connection of the gateway, and the gateway's own channel.
    case proof

    /// True when it may call the daemon itself by that name: a method, or something that does not exist.
    public func permits(_ name: String) -> Bool {
        let method = Method(rawValue: name)
        switch self {
        case .everything: return true
        case .services: return method?.isForConfined ?? false
        case .allowed(let list):
            switch method {
            // What they tell and open is cut down to what the list names.
            case .metadata, .version, .name, .proxy: return true
            // They would change what the connection may do.
            case .clientSession, .confine: return false
            case .start, .stop, .restart, .upgrade, .status, .list, .map, .unmap, .rename, .discover, .connect, .log,
                .events, .ready, .bridge, .scale, .apply, .explain, .reloadMetadata, .plugins, .installed, nil:
                return list.permits(name)
            }
        case .proof: return method == .clientSession || method == .ready
        }
    }

    /// True when it may call a command of a service.
    public func permits(_ command: String, of service: String) -> Bool {
        switch self {
        case .everything, .services: true
        case .allowed(let list): list.permits("\(service).\(command)")
        case .proof: false
        }
    }

    /// True when it may see that a service exists.
    public func concerns(service: String) -> Bool {
        switch self {
        case .everything, .services: true
        case .allowed(let list): list.concerns(service: service)
        case .proof: false
        }
    }

    /// Of what the daemon and services offer, what it may know; names of commands begin with their service, unless all are of
    /// one `service`.
    public func shown(_ metadata: ServiceMetadata, of service: String? = nil) -> ServiceMetadata {
        switch self {
        case .everything: return metadata
        case .services: return metadata.forConfined
        case .allowed(let list):
            var shown = metadata.forConfined
            shown.commands.removeAll { command in !list.permits((service.map { $0 + "." } ?? "") + command.name) }
            // Whose command a route of a stopped service is, nobody knows: it is shown to who may call all of them.
            shown.claims = metadata.claims.filter { list.permits($0.service) }
            return shown
        case .proof: return ServiceMetadata(name: metadata.name, commands: [])
        }
    }
}
