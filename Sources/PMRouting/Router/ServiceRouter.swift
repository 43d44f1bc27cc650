public import Glibc
import JSON
public import JSONRPC
import PMAPI
public import PMModel
public import PMSystem

/// The part of the daemon that answers requests to the daemon itself.
@PMActor
public protocol RequestHandler: AnyObject {
    /// Takes a request to no service; it is answered through a `Responder`, now or later. The request's bytes are valid
    /// until this returns.
    func handle(_ request: RPCRequest, from session: Session)
    /// The connection to a service is about to end, because the service makes the daemon hold too much.
    func givenUp(_ service: IncarnationID, _ reason: String)
    /// A call of a service's command was refused, because its caller has no right to it.
    func refused(_ method: String, from session: Session)
}

/// Passes messages from one session to another: requests to services, answers and streams back, signals both ways.
///
/// The `handler` gets requests to no service. The router knows nothing of supervision, and needs no socket: a session
/// has any `Link`.
@PMActor
public final class ServiceRouter {
    /// The services and their commands.
    public let registry: CommandRegistry
    /// Limits that all connections share.
    public let budget: PeerBudget
    /// Answers requests to the daemon itself.
    public var handler: (any RequestHandler)?
    let reactor: Reactor
    var sessions = SessionMap<Session>()
    /// The calls between all sessions. Each message uses the table several times; no other access can come between, so
    /// there is no exclusive access to check at run time.
    @exclusivity(unchecked) var calls = CallTable()
    /// The daemon's own calls, by their numbers.
    var own: [UInt64: @PMActor (Result<JSONValue, RPCError>) -> Void] = [:]
    /// Called when a service that is about to be stopped has no call left to answer, by its session.
    var draining: [SessionID: @PMActor () -> Void] = [:]
    /// True when the connections belong to a successor: nothing is sent any more.
    var isHandedOver = false
    /// Sessions that are not read yet: the first bytes of a service may be the rest of a message to a predecessor, and a client may
    /// ask for a service that is not known yet.
    private(set) var waiting: [SessionID]?
    /// The number of connections of each user.
    private var connections: [uid_t: Int] = [:]

    /// Routes to the services of a registry.
    public init(_ registry: CommandRegistry, reactor: Reactor) {
        self.registry = registry
        self.reactor = reactor
        budget = PeerBudget(reactor)
        registry.observer = self
    }

    /// Numbers calls after those of earlier daemons; called before the first session. `generation` is the number of
    /// this daemon.
    public func start(generation: UInt64) {
        calls = CallTable(generation: generation)
        if generation > 1 { waiting = [] }
    }

    /// Reads from all sessions: the services and the connections of a predecessor are taken over.
    public func serve() {
        let sessions = waiting ?? []
        waiting = nil
        for session in sessions { self.sessions[session]?.connection.resume() }
        for service in draining.keys { noteAnswer(of: service) }
    }

    // MARK: sessions

    /// Takes over a connected socket.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    public func open(
        _ socket: SharedFD, _ origin: SessionOrigin, form: MessageForm = .lines
    ) throws(SystemError) -> Session {
        try open(StreamDescriptors(socket), origin, form: form)
    }

    /// Takes over the descriptors of a connection.
    ///
    /// - Throws: `SystemError` when they cannot be watched.
    public func open(
        _ descriptors: StreamDescriptors, _ origin: SessionOrigin, form: MessageForm = .lines
    ) throws(SystemError) -> Session {
        let isClient = if case .client = origin { true } else { false }
        return try open(try Connection(descriptors, isPaced: isClient, form: form, budget: budget), origin, form: form)
    }

    /// Takes over a link to a peer.
    ///
    /// - Throws: `SystemError` when it cannot be used.
    public func open(
        _ link: any Link, _ origin: SessionOrigin, form: MessageForm = .lines
    ) throws(SystemError) -> Session {
        let id = sessions.add { Session($0, origin, (link, form), self) }
        calls.opened(id)
        guard let session = sessions[id] else { throw SystemError("open", "session", code: EBADF) }
        if let user = session.user { connections[user, default: 0] += 1 }
        if waiting != nil {
            link.pause()
            waiting?.append(id)
        }
        do throws(SystemError) {
            try link.start(session)
        } catch {
            ended(session)
            throw error
        }
        return session
    }

    /// The number of connections of a user.
    public func connections(of user: uid_t) -> Int { connections[user] ?? 0 }

    /// All clients.
    public var clients: [Session] { sessions.all.filter(\.isClient) }

    /// Numbers of sessions, of unanswered calls, and of calls that have lost their callers.
    var counts: (sessions: Int, calls: Int, left: Int) {
        (sessions.count, calls.calls.count, sessions.all.reduce(0) { $0 + calls.left(at: $1.id) })
    }

    /// Ends a session: calls to it fail or are repeated at another instance, and its own calls lose their caller.
    func ended(_ session: Session) {
        guard sessions[session.id] === session else { return }
        let endings = calls.closed(session.id)
        withdraw(session)
        sessions.remove(session.id)
        disarm(session)
        if let user = session.user {
            let left = connections(of: user) - 1
            connections[user] = left > 0 ? left : nil
        }
        perform(endings, of: session.state.service)
        // It has no calls any more, whatever becomes of its process.
        if !isHandedOver { draining.removeValue(forKey: session.id)?() }
    }

    // MARK: requests

    func receive(_ request: RPCRequest, from session: Session) {
        if let signal = FlowSignal(request.method) { return received(signal, request, from: session) }
        if let service = session.proxiedService { return pass(request, as: request.method, to: service, for: session) }
        if let (service, command) = registry.find(request.method) {
            return pass(request, as: command, to: service, for: session)
        }
        handler?.handle(request, from: session)
    }

    private func pass(_ request: RPCRequest, as command: RPCMethod, to service: Service, for caller: Session) {
        // Only the daemon may say that it has forgotten a service's calls.
        if command == "$restarted" {
            caller.openResponder(for: request)?.reject(.methodNotFound(request.method.string))
            return
        }
        guard service.isCallable || service.session === caller else {
            caller.openResponder(for: request)?.fail(Refusals.notCallable(service.id.unit))
            return
        }
        // What it calls of itself belongs to calls that it has.
        guard !service.isDraining || service.session === caller else {
            caller.openResponder(for: request)?.fail(Refusals.stopping)
            return
        }
        switch caller.reach {
        case .everything:
            let isKept = registry.mayMove(service, command)
            let relayed = RelayedRequest(request: request, method: command, isKept: isKept)
            relay(relayed, to: service.session, for: caller)
        case .services, .allowed, .proof: passLimited(request, as: command, to: service, for: caller)
        }
    }
}

extension ServiceRouter: RegistryObserver {
    /// Tells those who want to know that the commands of a service have changed.
    func published(_ unit: String) {
        for client in clients where client.watchesMetadata && client.reach.concerns(service: unit) {
            client.notify("$/metadata", [.string(unit)])
        }
    }
}

extension PeerReach {
    /// True when it may make this call. A command of a plugin is one of pm, by its own name; its routes are the plugin's.
    @PMActor
    func permits(_ method: RPCMethod, _ command: RPCMethod, of service: Service) -> Bool {
        let unit = InstanceName.unit(of: service.id.unit)
        guard UnitName.isOfPlugin(unit) else { return permits(command.string, of: unit) }
        return permits(method.string)
    }

    /// Reason why a method is not answered.
    public func refusal(of method: String) -> RPCError {
        let reason =
            switch self {
            case .everything, .services: "is not for services in a container: they may call other services"
            case .allowed: "is not among what this client may call"
            case .proof: "is not possible before this connection has a session"
            }
        return RPCError(APIError.notPermitted("\(method) \(reason)").json)
    }
}

extension Session {
    /// The user of a client; nil for a service.
    var user: uid_t? {
        if case .client(let credentials) = origin { credentials.user } else { nil }
    }
}
