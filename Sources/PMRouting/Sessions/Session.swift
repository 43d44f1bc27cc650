public import JSON
public import JSONRPC
public import PMModel
public import PMSystem

/// The program at the other end of a connection.
public enum SessionOrigin: Equatable, Sendable {
    /// A client, with the kernel's data about its process.
    case client(PeerCredentials)
    /// An incarnation of a unit, over the channel it was started with.
    case service(IncarnationID)
}

/// A connection, the program at its other end, and the rights of that program.
///
/// Its streams end when it closes, even if other objects still refer to it. The calls of all sessions are in the
/// router's `CallTable`.
@PMActor
public final class Session {
    /// Name of the session in tables.
    let id: SessionID
    /// The program at the other end.
    public let origin: SessionOrigin
    /// The connection.
    public let connection: any Link
    /// State of the session, which is handed over to a successor of the daemon.
    private(set) var state: SessionState
    let isClient: Bool
    private let router: ServiceRouter
    private var flow = Flow()
    /// Time for a service to answer a call; nil: for ever.
    public var callTimeout: Duration?
    /// The timer for its oldest call with a deadline.
    var deadlineTimer: TimerID?
    /// The wait for a sign of life while calls wait for this service; nil: nobody watches it.
    var silenceWatch: SilenceWatch?
    /// Requests that the daemon itself answers later, by their ids.
    private var questions: [RPCID: Responder] = [:]
    /// The service that gets all messages of this client, after the client has requested a proxy.
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
            takesSignals: false, hasFinished: false, target: nil, published: nil)
    }

    // MARK: what it is

    /// Form of its messages in the bytes.
    public var form: MessageForm { state.form }

    /// Rights of its requests.
    public var reach: PeerReach {
        get { state.reach }
        set {
            state.reach = newValue
            connection.isLimited = newValue != .everything
        }
    }

    /// True for a client on the network, which sees no more of an error than a stranger may.
    public var isOfNetwork: Bool {
        get { state.isOfNetwork }
        set { state.isOfNetwork = newValue }
    }

    /// True when it wants a notification when commands change.
    public var watchesMetadata: Bool {
        get { state.watchesMetadata }
        set { state.watchesMetadata = newValue }
    }

    /// True when it understands the signals about calls under way, see `FlowSignal`.
    public var takesSignals: Bool {
        get { state.takesSignals }
        set { state.takesSignals = newValue }
    }

    /// The name under which the commands of this client are published; nil for a service that pm has started.
    public internal(set) var published: IncarnationID? {
        get { state.published }
        set { state.published = newValue }
    }

    /// The number of calls that it has to answer.
    public var load: Int { router.calls.owed(by: id) }

    /// The number of its requests that are not answered.
    public var unanswered: Int { flow.questions + router.calls.made(by: id) }

    /// True when the daemon itself owes it no answer.
    public var isAnswered: Bool { flow.questions == 0 }

    /// True when the request that is being answered is the only work on this connection.
    public var isAlone: Bool {
        unanswered == 1 && load == 0 && router.calls.uploads(of: id) == 0 && !state.hasFinished
    }

    // MARK: requests to it

    /// Calls a method of the peer; `done` is called once, with a retriable error if the peer leaves first.
    public func call(
        _ method: String, _ params: JSONValue?, _ done: @escaping @PMActor (Result<JSONValue, RPCError>) -> Void
    ) {
        router.call(self, (method, params), done)
    }

    /// Sends a notification to the peer.
    public func notify(_ method: String, _ params: JSONValue? = nil) {
        connection.send { MessageWriter.notification(method: method, params: params, to: &$0) }
    }

    // MARK: answers to it

    /// Opens an answer of the daemon itself to a request; a notification's is dropped. Nil when the peer has called too
    /// often; it then gets an error.
    public func openResponder(for request: RPCRequest) -> Responder? {
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

    /// Stores a request that is answered later, so that the caller can cancel it, and leave it.
    public func keep(_ question: Responder) {
        if let asked = question.id, question.isOpen { questions[asked] = question }
    }

    /// Notes that the daemon has answered a request itself.
    func answered(_ question: Responder) {
        if let asked = question.id, questions[asked] === question { questions[asked] = nil }
        flow.answered()
        pace()
    }

    /// Cancels a request to the daemon itself; false when there is no such request.
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

    /// Sends an error that no call waits for; a peer that floods and does not read gets no more of them.
    func complain(_ fill: (inout [UInt8]) -> Void) {
        if isClient || connection.backlog < PeerLimits.pacing { connection.send(fill) }
    }

    // MARK: flow

    /// Counts a request or an answer.
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

    /// Stops reading from it for the rest of this process's life.
    public func silence() { connection.pause() }

    /// Stops reading from it until `letGo`, or until it leaves.
    func holdBack() { connection.pause() }

    /// Reads from it again.
    func letGo() { connection.resume() }

    // MARK: proxies

    /// Passes all further messages of this client to a service; they end together.
    public func proxy(to service: Service) {
        precondition(proxiedService == nil, "a client is passed on to two services")
        proxiedService = service
        state.target = service.id
        service.session.proxied.insert(id)
    }

    // MARK: its end

    /// Takes the connection out of this session: its new owner goes on with the bytes on their way.
    func leave() -> (socket: SharedFD?, state: ConnectionState) {
        let left = connection.handOver()
        end()
        return left
    }

    /// True when it sends no more.
    var hasFinished: Bool { state.hasFinished }

    private func end() {
        for client in proxied { router.sessions[client]?.connection.closeAfterFlush() }
        proxied = []
        proxiedService?.session.proxied.remove(id)
        proxiedService = nil
        // Streams of the daemon end here: nothing is read for this session any more.
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
    public func receive(_ request: RPCRequest) {
        silenceWatch?.heard &+= 1
        router.receive(request, from: self)
    }

    /// Takes a reply, or a frame of a stream.
    public func receive(_ reply: RPCReply) {
        silenceWatch?.heard &+= 1
        router.receive(reply, from: self)
    }

    /// Takes a line that is no message.
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

    /// The connection is closed: calls that wait for this session fail.
    public func closed() { end() }
}
