import JSON
public import JSONRPC
public import PMAPI
public import PMModel
public import PMSystem

/// A running service that answers JSON-RPC.
@PMActor
public final class Service {
    /// The incarnation.
    public let id: IncarnationID
    /// The way to it.
    public let peer: Peer
    /// What it offers; nil until it said so.
    public internal(set) var metadata: ServiceMetadata?

    init(_ id: IncarnationID, _ peer: Peer) {
        self.id = id
        self.peer = peer
    }

    /// Whether it has a command.
    public func has(_ command: String) -> Bool { metadata?.command(command) != nil }
}

/// Who offers which commands: finds the service that `UNIT.COMMAND` is for.
@PMActor
public final class CommandRegistry {
    private var services: [String: Service] = [:]
    /// How many units have a dot in their name: without any, the first dot of a method ends the unit's name.
    private var dottedNames = 0

    /// An empty registry.
    public init() {}

    /// The services, by name.
    public var all: [Service] { services.values.sorted { $0.id.unit < $1.id.unit } }

    /// The service of a unit; nil while it does not run.
    public func service(_ unit: String) -> Service? { services[unit] }

    /// Adds a service, in place of an earlier incarnation.
    public func add(_ id: IncarnationID, _ peer: Peer) {
        remove(unit: id.unit)
        services[id.unit] = Service(id, peer)
        if id.unit.contains(".") { dottedNames += 1 }
    }

    /// Publishes what a service offers; ignored when that incarnation is gone.
    public func publish(_ metadata: ServiceMetadata, of id: IncarnationID) {
        guard let service = services[id.unit], service.id == id else { return }
        service.metadata = metadata
        let accepted = metadata.others["accepts"]?.array ?? []
        service.peer.takesSignals = FlowSignal.allCases.allSatisfy { accepted.contains(.string($0.rawValue)) }
    }

    /// Takes a service out; ignored when another incarnation is in its place.
    public func remove(_ id: IncarnationID) -> Service? {
        guard let service = services[id.unit], service.id == id else { return nil }
        remove(unit: id.unit)
        return service
    }

    private func remove(unit: String) {
        guard services.removeValue(forKey: unit) != nil else { return }
        if unit.contains(".") { dottedNames -= 1 }
    }

    /// The service a method is for, and the command's own name.
    public func find(_ method: RPCMethod) -> (service: Service, command: RPCMethod)? {
        guard let (head, tail) = method.split(at: ".") else { return nil }
        if dottedNames > 0, let found = findDotted(method) { return found }
        return services[head.string].map { ($0, tail) }
    }

    /// The longest name of a unit that the method begins with.
    private func findDotted(_ method: RPCMethod) -> (service: Service, command: RPCMethod)? {
        let text = method.string
        let best = services.keys.filter { $0.contains(".") && text.hasPrefix($0 + ".") }.max { $0.count < $1.count }
        guard let best, let service = services[best] else { return nil }
        var rest = method
        for _ in 0...best.count(where: { $0 == "." }) {
            guard let (_, tail) = rest.split(at: ".") else { return nil }
            rest = tail
        }
        return (service, rest)
    }
}
