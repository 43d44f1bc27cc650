public import JSON
public import JSONRPC
public import PMModel
public import PMSystem

/// Who is at the other end of a connection.
public enum PeerOrigin: Equatable, Sendable {
    /// A client, with what the kernel says of its process.
    case client(PeerCredentials)
    /// An incarnation of a unit, over the channel it was started with.
    case service(IncarnationID)
}

/// Answers requests.
@PMActor
public protocol RequestHandler: AnyObject {
    /// Takes a request; it is answered through a `Responder`, now or later. What the request points to is good until this
    /// returns.
    func handle(_ request: RPCRequest, from peer: Peer)
    /// The peer is gone.
    func closed(_ peer: Peer)
    /// Another service that can answer in place of one that died; nil when there is none.
    func substitute(for peer: Peer) -> Peer?
    /// The connection to the peer is about to end, because the peer makes the daemon hold too much.
    func givenUp(_ peer: Peer, _ reason: String)
    /// What all peers share.
    var budget: PeerBudget { get }
}

/// One end of JSON-RPC: takes the peer's requests, and sends it requests of its own or of others.
@PMActor
public final class Peer: ConnectionDelegate {
    /// What a reply is for.
    enum Waiting {
        /// Another peer's request, passed on to this one.
        case relayed(Peer, RPCID)
        /// A request of the daemon itself.
        case own(@PMActor (Result<JSONValue, RPCError>) -> Void)
    }

    /// Who it is.
    public let origin: PeerOrigin
    /// How far its requests reach.
    public var reach = PeerReach.everything {
        didSet { connection.isLimited = reach != .everything }
    }
    /// How its messages stand in the bytes.
    public let form: MessageForm
    /// The connection.
    public let connection: Connection
    var onClose: [@PMActor () -> Void] = []
    let handler: any RequestHandler
    let isClient: Bool
    var waiting = PendingCalls<Waiting>()
    /// Requests of this peer that are not answered yet. Numbers that each message changes: they are read and written at
    /// once, nothing can come between, so there is no exclusive access to check at run time.
    @exclusivity(unchecked) var unanswered = 0
    /// Those of them that the daemon itself answers.
    @exclusivity(unchecked) var answering = 0
    @exclusivity(unchecked) private var isHeld = false
    var hasFinished = false
    /// Streams that this peer sends as parameters of calls, by its ids for these calls.
    var uploads: [RPCID: Upload] = [:]
    /// How the daemon's own streams to this peer are ended early, by its ids for them.
    var cancels: [RPCID: @PMActor () -> Void] = [:]
    /// Whether it understands the signals about calls under way, see `FlowSignal`.
    public var takesSignals = false
    /// Requests that may be made again elsewhere when this peer dies.
    var kept: [UInt64: KeptCall] = [:]
    /// Bytes of this peer's own requests that others keep.
    var keptBytes = 0
    /// Calls to this peer whose callers have left: their answers are for nobody.
    var left: Set<UInt64> = []
    /// Whether it is a client on the network, which sees no more of an error than a stranger may.
    public var isOfNetwork = false
    /// Whether it wants to know when commands change.
    public var watchesMetadata = false
    /// Requests whose stream was told to wait, because whom it is for does not read.
    var paused: Set<UInt64> = []
    /// The service that everything of this client is for, once it has asked for that.
    var target: Service?
    /// Clients whose messages are all for this service.
    var proxied: [ObjectIdentifier: Peer] = [:]

    /// Lets the ids of requests to this peer begin behind those of earlier daemons: an answer to one of theirs must not be
    /// taken for one of ours. `generation` is the number of this daemon.
    ///
    /// Ids stay below 2^53, as far as numbers in JavaScript are exact.
    public func beginIDs(of generation: UInt64) {
        waiting = PendingCalls(after: (generation & 0xF_FFFF) << 32)
    }

    /// Takes over a connected socket.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    public init(
        _ descriptor: SharedFD, origin: PeerOrigin, handler: any RequestHandler,
        form: MessageForm = .lines
    ) throws(SystemError) {
        self.origin = origin
        self.form = form
        self.handler = handler
        isClient = if case .client = origin { true } else { false }
        connection = try Connection(descriptor, isPaced: isClient, form: form, budget: handler.budget)
        try connection.start(self)
    }

    /// Calls `body` once when the connection is gone; at once if it is.
    public func whenClosed(_ body: @escaping @PMActor () -> Void) {
        if connection.isClosed { body() } else { onClose.append(body) }
    }

    // MARK: requests to this peer

    /// Calls a method of this peer; `done` is called once, with a retriable error when the peer goes away first.
    public func call(
        _ method: String, _ params: JSONValue?, _ done: @escaping @PMActor (Result<JSONValue, RPCError>) -> Void
    ) {
        guard !connection.isClosed else { return done(.failure(Self.gone)) }
        let id = waiting.add(.own(done))
        connection.send { MessageWriter.request(id: id, method: method, params: params, to: &$0) }
    }

    /// Tells this peer something that has no answer.
    public func notify(_ method: String, _ params: JSONValue? = nil) {
        connection.send { MessageWriter.notification(method: method, params: params, to: &$0) }
    }

    /// Passes another peer's request on to this one, its parameters byte for byte.
    ///
    /// What is kept is made again by another instance when this peer dies before it has answered.
    public func relay(_ request: RPCRequest, as method: RPCMethod, for caller: Peer, isKept: Bool = false) {
        guard let id = request.ownedID else {
            // Nobody waits for an answer that could say why it is thrown away.
            guard connection.backlog < PeerLimits.callBacklog, !handler.budget.isFull else { return }
            connection.send { MessageWriter.relay(request, id: nil, method: method, to: &$0) }
            return holdUp(caller)
        }
        relay(request, as: method, for: Caller(peer: caller, id: id, isKept: isKept))
    }

    /// The same, answered under an id that is not the request's.
    func relay(_ request: RPCRequest, as method: RPCMethod, for call: Caller) {
        let (caller, id) = (call.peer, call.id)
        guard !connection.isClosed else { return caller.fail(id, Self.gone) }
        guard connection.backlog < PeerLimits.callBacklog, !handler.budget.isFull else {
            return caller.fail(id, Self.busy)
        }
        guard left.count < PeerLimits.callsLeft else { return caller.fail(id, Self.tooManyLeft) }
        guard caller.isClient || caller.unanswered < PeerLimits.callsUnderWay else {
            return caller.fail(id, Self.tooManyCalls)
        }
        let isKept = call.isKept && !request.isStream
        let size = method.raw.count + (request.params?.count ?? 0)
        guard !isKept || handler.budget.keep(size, for: caller) else { return caller.fail(id, Self.tooMuchKept) }
        caller.unanswered += 1
        caller.pace()
        let internalID = waiting.add(.relayed(caller, id))
        if request.isStream { caller.uploads[id] = Upload(service: self, id: internalID) }
        if isKept {
            var message: [UInt8] = []
            MessageWriter.relay(request, id: internalID, method: method, to: &message)
            kept[internalID] = KeptCall(message: message, caller: caller, size: size)
        }
        connection.send { MessageWriter.relay(request, id: internalID, method: method, to: &$0) }
        holdUp(caller)
    }

    /// Who sends faster than this peer reads is not read from for a while; services themselves are, or two that call each
    /// other could wait for each other for ever.
    func holdUp(_ sender: Peer) {
        if connection.backlog > PeerLimits.pacing, sender.isClient { sender.connection.pause(until: connection) }
    }

    static let gone = RPCError.unavailable("the service ended before it answered").adding("retry", true)
    private static let busy = RPCError.unavailable("the service has too much to read").adding("retry", true)
    private static let tooManyCalls = RPCError.unavailable(
        "\(PeerLimits.callsUnderWay) calls of this service are not answered yet"
    ).adding("retry", true)
    private static let tooManyLeft = RPCError.unavailable(
        "\(PeerLimits.callsLeft) calls of callers that have left are not answered by this service"
    ).adding("retry", true)
    private static let answerTooLong = RPCError.invalidRequest(
        "an answer to pm itself has more than \(PeerLimits.parameters >> 20) MB")
    private static let tooMuchKept = RPCError.unavailable(
        "calls that wait for an answer of an idempotent command take up more than \(PeerLimits.keptOfPeer >> 20) MB of this "
            + "connection's, or \(PeerLimits.keptOfAll >> 20) MB of all connections'"
    ).adding("retry", true)
    private static let tooManyQuestions = RPCError.unavailable(
        "\(PeerLimits.questionsOfService) requests of this service to pm are not answered yet"
    ).adding("retry", true)

    // MARK: answers to this peer

    /// Opens an answer of the daemon itself to a request; a notification's is thrown away. Nil when the peer has asked too
    /// much, which it is told.
    public func begin(_ request: RPCRequest) -> Responder? {
        let id = request.ownedID
        if let id, !isClient, answering >= PeerLimits.questionsOfService {
            fail(id, Self.tooManyQuestions)
            return nil
        }
        if id != nil {
            unanswered += 1
            answering += 1
            pace()
        }
        return Responder(self, id)
    }

    /// Sends what makes up an answer or a part of one.
    func send(_ fill: (inout [UInt8]) -> Void) {
        connection.send(fill)
    }

    /// The daemon has answered a request itself.
    func answered() {
        answering -= 1
        finishOne()
    }

    /// Reads nothing from it for the rest of this process's life.
    public func silence() {
        connection.pause()
    }

    /// A client that has asked for much is not read from until half of it is answered.
    private func pace() {
        guard isClient else { return }
        let (questions, calls) = (PeerLimits.questionsOfClient, PeerLimits.callsUnderWay)
        if !isHeld, answering >= questions || unanswered >= calls {
            isHeld = true
            connection.pause()
        } else if isHeld, answering <= questions / 2, unanswered <= calls / 2 {
            isHeld = false
            connection.resume()
        }
    }

    /// One request is answered.
    func finishOne() {
        unanswered -= 1
        closeIfDone()
        pace()
    }

    private func fail(_ id: RPCID, _ error: RPCError) {
        connection.send { MessageWriter.failure(id: id, error, to: &$0) }
    }

    // MARK: from the connection

    /// Takes a request or a notification.
    public func receive(_ request: RPCRequest) {
        handler.handle(request, from: self)
    }

    /// Tells the peer of something that nobody waits for; one that floods and does not read is not told more.
    private func reject(_ fill: (inout [UInt8]) -> Void) {
        if isClient || connection.backlog < PeerLimits.pacing { connection.send(fill) }
    }

    /// Answers what is no message.
    public func receive(_ rejected: MalformedMessage) {
        // A reply that cannot be understood is the last one for its id.
        if rejected.kind == .reply, let id = rejected.id, let number = id.withBytes(PendingCallID.parse),
            waiting[number] != nil
        {
            return fail(number, rejected.error)
        }
        // An answer to an answer that is for nobody could be answered the same way, for ever.
        if rejected.kind == .reply && rejected.id == nil { return }
        // Who asked waits for it.
        if rejected.kind == .request && rejected.id != nil {
            connection.send { MessageWriter.rejection(rejected, to: &$0) }
        } else {
            reject { MessageWriter.rejection(rejected, to: &$0) }
        }
    }

    /// Takes out a call that was kept.
    func takeKept(_ number: UInt64) -> KeptCall? {
        guard let call = kept.removeValue(forKey: number) else { return nil }
        handler.budget.letGo(call.size, of: call.caller)
        return call
    }

    private func fail(_ number: UInt64, _ error: RPCError) {
        _ = takeKept(number)
        switch waiting.take(number) {
        case .relayed(let caller, let id):
            caller.fail(id, error)
            caller.finishOne()
        case .own(let done): done(.failure(error))
        case nil: break
        }
    }

    /// Takes a reply.
    public func receive(_ reply: RPCReply) {
        guard let number = reply.internalID, let call = take(reply, number) else {
            if let number = reply.internalID, left.contains(number) { return dropLeft(reply, number) }
            if passUp(reply) { return }
            if case .error = reply.outcome { return }
            connection.cameInVain(reply.size)
            let refusal = RPCError.noResponseHandler(reply.ownedID)
            return reject { MessageWriter.rejection(id: reply.ownedID, refusal, to: &$0) }
        }
        switch call {
        case .relayed(let caller, let id): relay(reply, number, to: caller, id)
        case .own(let done):
            _ = waiting.take(number)
            guard reply.size <= PeerLimits.parameters else { return done(.failure(Self.answerTooLong)) }
            do throws(RPCError) {
                done(.success(try reply.value()))
            } catch {
                done(.failure(error))
            }
        }
    }

    /// What a reply is for. Most are the only one of their call.
    private func take(_ reply: RPCReply, _ number: UInt64) -> Waiting? {
        streams.isEmpty && !reply.isStream ? waiting.take(number) : waiting[number]
    }

    private func relay(_ reply: RPCReply, _ number: UInt64, to caller: Peer, _ id: RPCID) {
        if caller.isOfNetwork, case .error(let raw) = reply.outcome {
            caller.fail(id, RPCError(raw: raw).shown)
        } else {
            caller.connection.send { MessageWriter.relay(reply, id: id, to: &$0) }
        }
        if !kept.isEmpty { _ = takeKept(number) }
        if streams.isEmpty && !reply.isStream {
            caller.finishOne()
        } else if endsCall(reply, number) {
            waiting[number] = nil
            paused.remove(number)
            caller.finishOne()
        } else {
            slowDown(number, for: caller)
        }
    }

    /// Requests whose answer is a stream that has begun.
    var streams: Set<UInt64> = []

    /// Whether this was the last reply of its call: the only one, an error, or the flagged end of a stream.
    func endsCall(_ reply: RPCReply, _ number: UInt64) -> Bool {
        guard streams.contains(number) else {
            if reply.isStream { streams.insert(number) }
            return !reply.isStream
        }
        var isOver = reply.isStream
        if case .error = reply.outcome { isOver = true }
        if isOver { streams.remove(number) }
        return isOver
    }

    /// The peer sends no more: it is closed when it has all its answers.
    public func peerFinished() {
        hasFinished = true
        closeIfDone()
    }

    private func closeIfDone() {
        if hasFinished && unanswered <= 0 { connection.closeAfterFlush() }
    }

    /// The connection is about to end, because this peer makes the daemon hold too much.
    public func givenUp(_ reason: String) {
        handler.givenUp(self, reason)
    }

    /// The connection is gone: what waits for this peer fails.
    public func closed() {
        closeProxied()
        // Streams of the daemon end here: whoever holds this peer, nothing is read for it any more.
        for cancel in cancels.values { cancel() }
        abandonUploads()
        left = []
        for (number, call) in waiting.takeAll() {
            switch call {
            case .relayed(let caller, let id):
                if !moves(number, for: caller, id) { caller.fail(id, Self.gone) }
                caller.finishOne()
            case .own(let done): done(.failure(Self.gone))
            }
        }
        var bodies: [@PMActor () -> Void] = []
        swap(&bodies, &onClose)
        for body in bodies { body() }
        handler.closed(self)
    }
}
