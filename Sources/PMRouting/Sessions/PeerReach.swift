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
                .events, .ready, .bridge, .scale, .apply, .explain, .reloadMetadata, .plugins, .installed:
                return list.permits(name)
            // Nothing is executed: the caller learns that the service does not run.
            case nil: return list.permits(name) || list.permitsJoined(name)
            }
        case .proof: return method == .clientSession || method == .ready
        }
    }

    /// True when it may call a command of a service.
    public func permits(_ command: String, of service: String) -> Bool {
        switch self {
        case .everything, .services: true
        case .allowed(let list): list.permits(command, of: service)
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

    /// Of what the daemon offers, or with `service` of what that service offers, what it may know.
    public func shown(_ metadata: ServiceMetadata, of service: String? = nil) -> ServiceMetadata {
        switch self {
        case .everything: return metadata
        case .services: return metadata.forConfined
        case .allowed(let list):
            var shown = metadata.forConfined
            shown.commands.removeAll { command in
                !(service.map { list.permits(command.name, of: $0) } ?? list.permits(command.name))
            }
            return shown
        case .proof: return ServiceMetadata(name: metadata.name, commands: [])
        }
    }

    /// True when it may see the routes of a service that does not run. Whose command a route is, nobody knows then: it is
    /// shown to who may call all of them.
    public func mayKnowRoutes(of service: String) -> Bool {
        switch self {
        case .everything: true
        case .services, .proof: false
        case .allowed(let list): list.permitsAll(of: service)
        }
    }
}
