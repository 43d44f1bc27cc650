import Glibc
import JSON
import JSONRPC
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSystem

/// Finds who answers a method: a handler of the daemon, or a service.
@PMActor
final class Router: RequestHandler {
    private typealias Answerer = @PMActor (Parameters, Responder) -> Void

    private let registry: CommandRegistry
    private var answerers: [String: Answerer] = [:]
    /// Requests that handlers take their time for, and who waits for the last of them.
    private var running = 0
    private var onIdle: [@PMActor () -> Void] = []
    /// Clients that are connected; a service's peer is kept by the registry.
    private var clients: [ObjectIdentifier: Peer] = [:]
    /// How many of them each user has.
    private var connections: [uid_t: Int] = [:]
    let budget: PeerBudget
    /// Says why a service cannot be called; nil when there is no such unit.
    var explainAbsence: @PMActor (String) -> RPCError? = { _ in nil }
    /// Told when the connection to a service is given up.
    var onTrouble: @PMActor (String) -> Void = { _ in }
    /// Whether pm-init is so far behind that nothing more is to be ordered.
    var isHolderBehind: @PMActor () -> Bool = { false }
    /// Whether everything is being stopped, and the daemon after it.
    var isStopping: @PMActor () -> Bool = { false }

    init(_ registry: CommandRegistry, reactor: Reactor) {
        self.registry = registry
        budget = PeerBudget(reactor)
    }

    /// Lets a handler answer its method.
    func add<H: Handler>(_ handler: H) {
        answerers[H.Request.method.rawValue] = { parameters, call in
            do throws(APIError) {
                call.succeed(try handler.handle(try H.Request(parameters), from: call.peer).json)
            } catch {
                call.fail(error.rpc)
            }
        }
    }

    /// Lets a handler that takes its time answer its method. The router lives as long as the daemon.
    func add<H: AsyncHandler>(_ handler: H) {
        answerers[H.Request.method.rawValue] = { [self] parameters, call in
            began()
            let answer: Answering<H.Request.Answer> = { result in
                switch result {
                case .success(let answer): call.succeed(answer.json)
                case .failure(let error): call.fail(error.rpc)
                }
                self.finished()
            }
            do throws(APIError) {
                try handler.begin(try H.Request(parameters), from: call.peer, answer)
            } catch {
                answer(.failure(error))
            }
        }
    }

    /// Lets something answer a method whose answer is more than a value: a stream, another use of the connection.
    func add(_ method: Method, _ answer: @escaping @PMActor (Parameters, Responder) -> Void) {
        answerers[method.rawValue] = answer
    }

    /// Keeps a client until it is gone.
    func add(client: Peer) {
        clients[ObjectIdentifier(client)] = client
        if let user = client.user { connections[user, default: 0] += 1 }
    }

    /// How many connections a user has.
    func connections(of user: uid_t) -> Int { connections[user] ?? 0 }

    /// Something is being answered that is worth waiting for; `finished` follows.
    func began() {
        running += 1
    }

    /// It has been answered.
    func finished() {
        running -= 1
        guard running == 0 else { return }
        var bodies: [@PMActor () -> Void] = []
        swap(&bodies, &onIdle)
        for body in bodies { body() }
    }

    /// Calls `body` once when nothing is left to answer; at once if nothing is.
    func whenIdle(_ body: @escaping @PMActor () -> Void) {
        if running == 0 { body() } else { onIdle.append(body) }
    }

    /// Reads no more requests of clients, for the rest of this process's life.
    func silenceClients() {
        for client in clients.values { client.silence() }
    }

    /// The clients, those that fulfil a condition apart.
    func split(_ condition: (Peer) -> Bool) -> (with: [Peer], without: [Peer]) {
        (clients.values.filter(condition), clients.values.filter { !condition($0) })
    }

    /// How many clients are connected.
    var clientCount: Int { clients.count }

    func closed(_ peer: Peer) {
        if peer.hasCalls { for service in registry.all { service.peer.forget(peer) } }
        guard clients.removeValue(forKey: ObjectIdentifier(peer)) != nil, let user = peer.user else { return }
        let left = connections(of: user) - 1
        connections[user] = left > 0 ? left : nil
    }

    func givenUp(_ peer: Peer, _ reason: String) {
        // A client could fill the log with this; a service can do so once an incarnation.
        guard case .service(let service) = peer.origin else { return }
        onTrouble("the channel to \(service.unit) is closed: \(reason)")
    }

    func handle(_ request: RPCRequest, from peer: Peer) {
        if let signal = FlowSignal(request.method) { return take(signal, request, from: peer) }
        if let service = peer.proxiedService { return pass(request, as: request.method, to: service, for: peer) }
        if let (service, command) = registry.find(request.method) {
            return pass(request, as: command, to: service, for: peer)
        }
        guard let call = peer.begin(request) else { return }
        let name = request.method.string
        let method = Method(rawValue: name)
        guard peer.reach.permits(name) else {
            call.fail(Self.outOfReach(name, of: peer))
            // Who has no session has nothing else to ask for.
            if peer.reach == .proof { peer.connection.closeAfterFlush() }
            return
        }
        guard let answer = answerers[name] else { return call.reject(absence(of: name)) }
        guard request.params?.count ?? 0 <= PeerLimits.parameters else { return call.fail(Self.tooLong) }
        if isHolderBehind(), method?.isOrder == true { return call.fail(Self.behind) }
        if method?.needsFuture == true, isStopping() { return call.fail(Self.stopping) }
        answer(Parameters(Self.params(of: request)), call)
    }

    private func pass(_ request: RPCRequest, as command: RPCMethod, to service: Service, for peer: Peer) {
        // Only the daemon may say that it has forgotten a service's calls.
        // And only who may order something may tell a service to end or to read its commands again.
        if command == "$restarted" || (peer.reach != .everything && ["$stop", "$reload"].contains(command.string)) {
            peer.begin(request)?.reject(.methodNotFound(request.method.string))
            return
        }
        if peer.isLimited, !peer.reach.permits(command.string, of: InstanceName.unit(of: service.id.unit)) {
            peer.begin(request)?.fail(Self.outOfReach(request.method.string, of: peer))
            return
        }
        let isKept = registry.mayMove(service, command)
        switch peer.reach {
        case .everything: service.peer.relay(request, as: command, for: peer, isKept: isKept)
        case .services, .allowed, .proof:
            Self.withCallersParameters(of: request) {
                service.peer.relay($0, as: command, for: peer, isKept: isKept)
            }
        }
    }

    /// Calls `body` with the request, from whose parameters everything is taken out that only a receiver may set.
    private static func withCallersParameters(of request: RPCRequest, _ body: (RPCRequest) -> Void) {
        guard let raw = request.params, raw.contains(UInt8(ascii: "{")), let params = params(of: request),
            let cleaned = CallerParameters.cleaned(params)
        else { return body(request) }
        Array(cleaned.text.utf8).withUnsafeBytes { body(request.with(params: $0)) }
    }

    func substitute(for peer: Peer) -> Peer? {
        guard case .service(let service) = peer.origin else { return nil }
        let other = registry.pick(InstanceName.unit(of: service.unit))?.peer
        return other === peer || other?.connection.isClosed == true ? nil : other
    }

    /// Tells those who want to know that the commands of a service have changed.
    func tellMetadata(of unit: String) {
        for client in clients.values where client.watchesMetadata && client.reach.concerns(service: unit) {
            client.notify("$/metadata", [.string(unit)])
        }
    }

    /// A signal concerns a call on the connection it came on: one that this peer made, or one that it is to answer.
    private func take(_ signal: FlowSignal, _ request: RPCRequest, from peer: Peer) {
        guard request.isNotification, let id = FlowSignal.subject(of: request) else {
            peer.begin(request)?.reject(.methodNotFound(request.method.string))
            return
        }
        if peer.takeSignal(signal, aboutOwn: id) { return }
        guard peer.hasCalls else { return }
        if signal == .cancel { peer.cancelOwn(id) }
        for service in registry.all { service.peer.takeSignal(signal, of: peer, about: id) }
    }

    private static func outOfReach(_ method: String, of peer: Peer) -> RPCError {
        let reason =
            switch peer.reach {
            case .everything, .services: "is not for services in a container: they may call other services"
            case .allowed: "is not among what this client may call"
            case .proof: "is not possible before this connection has a session"
            }
        return RPCError(APIError.notPermitted("\(method) \(reason)").json)
    }

    private static let tooLong = RPCError(
        APIError(413, "the parameters of a request to pm itself have more than \(PeerLimits.parameters >> 20) MB").json)
    private static let stopping = RPCError(
        APIError.stopping("pm is stopping all services, and then itself", hint: "pm start pm, once it is down").json)
    private static let behind = RPCError.unavailable(
        "pm-init does not keep up: nothing can be started or stopped at the moment"
    ).adding("retry", true)

    private static func params(of request: RPCRequest) -> JSONValue? {
        // What was scanned is JSON, so this cannot fail.
        request.params.flatMap { try? JSONValue(parsing: $0) }
    }

    private func absence(of method: String) -> RPCError {
        guard let dot = method.firstIndex(of: "."), let error = explainAbsence(String(method[..<dot])) else {
            return .methodNotFound(method)
        }
        return error
    }
}

extension Peer {
    /// Whether it may call some commands of services, and not others.
    fileprivate var isLimited: Bool {
        switch reach {
        case .everything, .services: false
        case .allowed, .proof: true
        }
    }

    /// The user of a client; nil for a service.
    fileprivate var user: uid_t? {
        if case .client(let credentials) = origin { credentials.user } else { nil }
    }
}
