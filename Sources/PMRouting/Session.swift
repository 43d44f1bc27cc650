public import JSON
public import JSONRPC
public import PMModel
public import PMSystem

/// Who is at the other end of a connection.
public enum SessionOrigin: Equatable, Sendable {
    /// A client, with what the kernel says of its process.
    case client(PeerCredentials)
    /// An incarnation of a unit, over the channel it was started with.
    case service(IncarnationID)
}

/// A connection, who is at its other end, and what that one may do.
///
/// What it opened ends when it closes, whoever still refers to it. The calls of all sessions are in the router's `CallTable`.
@PMActor
public final class Session {
    /// Its name in tables.
    let id: SessionID
    /// Who it is.
    public let origin: SessionOrigin
    /// The connection.
    public let connection: any Link
    /// All that a successor of the daemon is told of it.
    private(set) var state: SessionState
    let isClient: Bool
    private let router: ServiceRouter
    private var flow = Flow()
    /// Requests that the daemon itself answers later, by their ids.
    private var questions: [RPCID: Responder] = [:]
    /// The service that everything of this client is for, once it has asked for that.
    public private(set) var proxiedService: Service?
    /// Clients whose messages are all for this service.
    private var proxied: Set<SessionID> = []

    init(
        _ id: SessionID, _ origin: SessionOrigin, _ way: (link: any Link, form: MessageForm), _ router: ServiceRouter
    ) {
        self.id = id
        self.origin = origin
        self.router = router
        connection = way.link
        var service: IncarnationID?
        if case .service(let incarnation) = origin { service = incarnation }
        isClient = service == nil
        state = SessionState(
            service: service, form: way.form, reach: .everything, isOfNetwork: false, watchesMetadata: false,
            takesSignals: false, hasFinished: false, target: nil)
    }

    // MARK: what it is

    /// How its messages stand in the bytes.
    public var form: MessageForm { state.form }

    /// How far its requests reach.
    public var reach: PeerReach {
        get { state.reach }
        set {
            state.reach = newValue
            connection.isLimited = newValue != .everything
        }
    }

    /// Whether it is a client on the network, which sees no more of an error than a stranger may.
    public var isOfNetwork: Bool {
        get { state.isOfNetwork }
        set { state.isOfNetwork = newValue }
    }

    /// Whether it wants to know when commands change.
    public var watchesMetadata: Bool {
        get { state.watchesMetadata }
        set { state.watchesMetadata = newValue }
    }

    /// Whether it understands the signals about calls under way, see `FlowSignal`.
    public var takesSignals: Bool {
        get { state.takesSignals }
        set { state.takesSignals = newValue }
    }

    /// How many calls it has to answer.
    public var load: Int { router.calls.owed(by: id) }

    /// How many requests of it are not answered.
    public var unanswered: Int { flow.questions + router.calls.made(by: id) }

    /// Whether the daemon itself owes it no answer.
    public var isAnswered: Bool { flow.questions == 0 }

    /// Whether the request that is being answered is the only thing under way on this connection.
    public var isAlone: Bool {
        unanswered == 1 && load == 0 && router.calls.uploads(of: id) == 0 && !state.hasFinished
    }

    // MARK: requests to it

    /// Calls a method of it; `done` is called once, with a retriable error when it goes away first.
    public func call(
        _ method: String, _ params: JSONValue?, _ done: @escaping @PMActor (Result<JSONValue, RPCError>) -> Void
    ) {
        router.call(self, (method, params), done)
    }

    /// Tells it something that has no answer.
    public func notify(_ method: String, _ params: JSONValue? = nil) {
        connection.send { MessageWriter.notification(method: method, params: params, to: &$0) }
    }

    // MARK: answers to it

    /// Opens an answer of the daemon itself to a request; a notification's is thrown away. Nil when the session has asked too
    /// much, which it is told.
    public func begin(_ request: RPCRequest) -> Responder? {
        let asked = request.ownedID
        if let asked, !isClient, flow.questions >= PeerLimits.questionsOfService {
            fail(asked, Refusals.tooManyQuestions)
            return nil
        }
        if asked != nil {
            flow.asked()
            pace()
        }
        return Responder(self, asked)
    }

    /// Remembers a request that is answered later, so that the caller can cancel it, and leave it.
    public func keep(_ question: Responder) {
        if let asked = question.id, question.isOpen { questions[asked] = question }
    }

    /// The daemon has answered a request itself.
    func answered(_ question: Responder) {
        if let asked = question.id, questions[asked] === question { questions[asked] = nil }
        flow.answered()
        pace()
    }

    /// The caller wants no answer of the daemon itself any more; false when there is no such request.
    func cancelQuestion(_ asked: RPCID) -> Bool {
        guard let question = questions[asked] else { return false }
        question.cancel()
        return true
    }

    func fail(_ id: RPCID, _ error: RPCError) {
        connection.send { MessageWriter.failure(id: id, error, to: &$0) }
    }

    func signal(_ signal: FlowSignal, _ id: RPCID) {
        connection.send { MessageWriter.signal(signal, id, to: &$0) }
    }

    /// Tells it of something that nobody waits for; one that floods and does not read is not told more.
    func complain(_ fill: (inout [UInt8]) -> Void) {
        if isClient || connection.backlog < PeerLimits.pacing { connection.send(fill) }
    }

    // MARK: flow

    /// A request came, or was answered.
    func pace() {
        let step = flow.step(
            isClient: isClient, calls: router.calls.made(by: id), hasFinished: state.hasFinished)
        switch step {
        case .nothing: break
        case .hold: connection.pause()
        case .letGo: connection.resume()
        case .close: connection.closeAfterFlush()
        }
    }

    /// Reads nothing from it for the rest of this process's life.
    public func silence() { connection.pause() }

    /// Reads nothing more from it until `letGo`, or until it leaves.
    func holdBack() { connection.pause() }

    /// Reads from it again.
    func letGo() { connection.resume() }

    // MARK: proxies

    /// Everything that comes from this client is for a service from now on; they end together.
    public func proxy(to service: Service) {
        proxiedService = service
        state.target = service.id
        service.session.proxied.insert(id)
    }

    // MARK: its end

    /// Takes the connection out of this session: whoever gets it goes on with what was on its way.
    func leave() -> (socket: SharedFD?, state: ConnectionState) {
        let left = connection.handOver()
        end()
        return left
    }

    /// Whether it sends no more.
    var hasFinished: Bool { state.hasFinished }

    private func end() {
        for client in proxied { router.sessions[client]?.connection.closeAfterFlush() }
        proxied = []
        proxiedService?.session.proxied.remove(id)
        proxiedService = nil
        // Whoever holds an answer, nothing is read for it any more.
        let open = questions.values
        questions = [:]
        for question in open { question.cancel() }
        router.ended(self)
    }

    /// Goes on where a predecessor's session stopped.
    func restore(_ state: SessionState) {
        self.state = state
        connection.isLimited = state.reach != .everything
    }
}

extension Session: ConnectionDelegate {
    /// Takes a request or a notification.
    public func receive(_ request: RPCRequest) { router.receive(request, from: self) }

    /// Takes a reply, or a frame of a stream.
    public func receive(_ reply: RPCReply) { router.receive(reply, from: self) }

    /// Takes what is no message.
    public func receive(_ rejected: MalformedMessage) { router.receive(rejected, from: self) }

    /// The peer sends no more: it is closed when it has all its answers.
    public func peerFinished() {
        state.hasFinished = true
        pace()
    }

    /// The connection is about to end, because this peer makes the daemon hold too much.
    public func givenUp(_ reason: String) {
        // A client could fill the log with this; a service can do so once an incarnation.
        if case .service(let service) = origin { router.handler?.givenUp(service, reason) }
    }

    /// The connection is gone: what waits for this session fails.
    public func closed() { end() }
}
