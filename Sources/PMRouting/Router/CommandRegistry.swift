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
    public let session: Session
    /// Metadata of the service; nil until it has sent it.
    public internal(set) var metadata: ServiceMetadata?

    init(_ id: IncarnationID, _ session: Session) {
        self.id = id
        self.session = session
    }

    /// Memory of its metadata in bytes.
    var metadataSize = 0
    /// True when it is about to be stopped: it only answers the calls that it has, and gets no new ones.
    var isDraining = false
    /// True when clients may call its commands.
    public internal(set) var isCallable = true
    /// Commands that may be repeated.
    var idempotent: Set<String> = []
    /// Commands that only the daemon and those with its rights may call.
    var hidden: Set<String> = []

    /// Lower for a service that is to get calls first: it is ready; it is not; it is about to be stopped.
    fileprivate var reserve: Int { isDraining ? 2 : metadata == nil ? 1 : 0 }

    /// True when it has a command.
    public func has(_ command: String) -> Bool { metadata?.command(command) != nil }
}

/// Learns that the commands of a unit are published.
@PMActor
protocol RegistryObserver: AnyObject {
    func published(_ unit: String)
}

/// What plugins may add to the commands of pm.
@PMActor
public protocol CommandExtensions: AnyObject {
    /// Of what a unit publishes, what is kept.
    func admitted(_ metadata: ServiceMetadata, of unit: String) -> ServiceMetadata
    /// The unit of a plugin that has a command of pm; nil: none has.
    func owner(ofCommand command: String) -> String?
    /// The commands of a unit are published.
    func commandsPublished(of unit: String)
}

/// Registry of services' commands: finds the service of `UNIT.COMMAND`.
@PMActor
public final class CommandRegistry {
    private var services: [String: Service] = [:]
    /// Numbers of units by the dots in their names: without any, the first dot of a method ends the unit's name.
    private var dotted: [Int: Int] = [:]
    /// The instances of units that have more than the first, by the unit's name.
    private var groups: [String: [Service]] = [:]
    /// Memory of all metadata in bytes.
    private var published = 0
    /// The next in turn among instances with equally many calls.
    private var turn = 0
    /// Which routes of HTTP the services have.
    public let routes: RouteOwners
    private let fullName: @PMActor (String) -> String?
    /// The router of these services.
    weak var observer: (any RegistryObserver)?
    /// The plugins; nil: there are none.
    public weak var extensions: (any CommandExtensions)?

    /// An empty registry. `fullName` finds the service that is meant by a name that no running one has; nil: there is none.
    public init(
        _ routes: RouteOwners = RouteOwners(), fullName: @escaping @PMActor (String) -> String? = { _ in nil }
    ) {
        self.routes = routes
        self.fullName = fullName
    }

    /// The services, by name.
    public var all: [Service] { services.values.sorted { $0.id.unit < $1.id.unit } }

    /// The service of a unit; nil while it does not run.
    public func service(_ unit: String) -> Service? { services[unit] }

    /// The instance of a unit that is to get the next call: of those that are ready the one with the fewest unanswered.
    /// One that is about to be stopped gets it only if there is no other.
    public func pick(_ unit: String) -> Service? {
        guard let group = groups[unit] else { return services[unit] }
        let open = group.filter { !$0.session.connection.isClosed }
        guard let preferred = open.map({ $0.reserve }).min() else { return services[unit] }
        let candidates = open.filter { $0.reserve == preferred }
        turn &+= 1
        var best = candidates[turn % candidates.count]
        for service in candidates where service.session.load < best.session.load { best = service }
        return best
    }

    /// All instances of a unit.
    public func instances(of unit: String) -> [Service] {
        groups[unit] ?? [services[unit]].compactMap(\.self)
    }

    /// True when another instance may repeat a call if this one dies.
    public func mayMove(_ service: Service, _ command: RPCMethod) -> Bool {
        guard !groups.isEmpty, let group = groups[InstanceName.unit(of: service.id.unit)], group.count > 1 else {
            return false
        }
        return service.idempotent.contains(command.string)
    }

    /// Adds a service, in place of an earlier incarnation.
    public func add(_ id: IncarnationID, _ session: Session) {
        remove(unit: id.unit)
        let service = Service(id, session)
        services[id.unit] = service
        let unit = InstanceName.unit(of: id.unit)
        if unit != id.unit || groups[unit] != nil {
            if groups[unit] == nil, let first = services[unit] { groups[unit] = [first] }
            groups[unit, default: []].append(service)
        }
        noteDots(in: id.unit, 1)
    }

    /// Lets no client call a service or see its commands.
    public func hide(_ id: IncarnationID) {
        guard let service = services[id.unit], service.id == id else { return }
        service.isCallable = false
    }

    /// Publishes what a service offers; ignored when that incarnation is gone.
    ///
    /// - Throws: a 413 when it is more than the daemon keeps; what was published before stays.
    public func publish(_ metadata: ServiceMetadata, of id: IncarnationID) throws(APIError) {
        guard let service = services[id.unit], service.id == id else { return }
        var metadata = extensions?.admitted(metadata, of: id.unit) ?? metadata
        if !service.isCallable { metadata.commands.removeAll(where: \.isPublished) }
        let json = metadata.json
        let (size, room) = (json.serialized().count, json.footprint)
        guard size <= PeerLimits.parameters, published - service.metadataSize + room <= PeerLimits.metadata else {
            throw APIError(
                413,
                "what \(id.unit) says of its commands has \(size) bytes, and takes \(room) in memory: pm keeps "
                    + "\(PeerLimits.parameters >> 20) MB of a service, and \(PeerLimits.metadata >> 20) MB in memory of all"
            )
        }
        published += room - service.metadataSize
        service.metadataSize = room
        service.metadata = metadata
        service.idempotent = Set(metadata.commands.filter(\.isIdempotent).map(\.name))
        service.hidden = Set(metadata.commands.filter { !$0.isCallable }.map(\.name))
        let accepted = metadata.others["accepts"]?.array ?? []
        service.session.takesSignals = FlowSignal.allCases.allSatisfy { accepted.contains(.string($0.rawValue)) }
        let unit = InstanceName.unit(of: id.unit)
        // Routes belong to services of the configuration.
        if !id.isByItself {
            routes.publish(metadata, of: unit, isConfined: service.session.reach == .services)
        }
        extensions?.commandsPublished(of: unit)
        observer?.published(unit)
    }

    /// Takes a service out; ignored when another incarnation is in its place.
    public func remove(_ id: IncarnationID) -> Service? {
        guard let service = services[id.unit], service.id == id else { return nil }
        remove(unit: id.unit)
        return service
    }

    private func remove(unit: String) {
        guard let service = services.removeValue(forKey: unit) else { return }
        published -= service.metadataSize
        precondition(published >= 0, "services that are gone have published more than all")
        service.metadataSize = 0
        let base = InstanceName.unit(of: unit)
        groups[base]?.removeAll { $0 === service }
        if groups[base]?.isEmpty == true { groups[base] = nil }
        noteDots(in: unit, -1)
    }

    private func noteDots(in unit: String, _ change: Int) {
        let dots = unit.utf8.count { $0 == UInt8(ascii: ".") }
        guard dots > 0 else { return }
        let count = dotted[dots, default: 0] + change
        precondition(count >= 0, "more units with dots are removed than were added")
        dotted[dots] = count == 0 ? nil : count
    }

    /// The service and the command of a method: the service with the longest name that the method begins with.
    public func find(_ method: RPCMethod) -> (service: Service, command: RPCMethod)? {
        guard let (head, tail) = method.split(at: ".") else { return findExtension(method) }
        if !dotted.isEmpty, let found = findDotted(method, tail) { return found }
        let name = head.string
        return (pick(name) ?? fullName(name).flatMap { pick($0) }).map { ($0, tail) }
    }

    /// Finds a plugin that runs and has added a command. Commands of pm itself come first.
    private func findExtension(_ method: RPCMethod) -> (service: Service, command: RPCMethod)? {
        let name = method.string
        guard Method(rawValue: name) == nil, let service = extensions?.owner(ofCommand: name).flatMap({ services[$0] }),
            service.has(name)
        else { return nil }
        return (service, method)
    }

    /// Finds a service with a dot in its name. The number of look-ups is that of the dots in the method, or in the
    /// longest name if that has fewer.
    private func findDotted(_ method: RPCMethod, _ tail: RPCMethod) -> (service: Service, command: RPCMethod)? {
        let most = dotted.keys.max() ?? 0
        var found: (Service, RPCMethod)?
        var rest = tail
        for dots in 0..<most {
            guard let (_, next) = rest.split(at: ".") else { break }
            rest = next
            guard dotted[dots + 1] != nil, let name = method.head(before: rest), services[name.string] != nil else {
                continue
            }
            found = pick(name.string).map { ($0, rest) } ?? found
        }
        return found
    }
}
