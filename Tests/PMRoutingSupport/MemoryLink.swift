import JSON
public import JSONRPC
import PMAPI
public import PMModel
public import PMRouting
public import PMSystem

/// A connection without a socket: lines go in, and lines come out.
@PMActor
public final class MemoryLink: Link {
    /// A connection that was not used yet.
    public init() {}

    private var delegate: (any ConnectionDelegate)?
    private var waiting: [String] = []
    private var incoming: [String] = []
    private var onDrained: [@PMActor () -> Void] = []
    private var pauses = 0
    /// Called with each line that is sent to the peer; nil: lines wait until the peer reads them.
    public var onLine: (@PMActor (String) -> Void)?
    /// True when the connection is closed.
    public private(set) var isClosed = false
    /// True when it closes after the peer has read all lines.
    public private(set) var closesAfterFlush = false
    /// True when its peer has limited rights.
    public var isLimited = false
    /// True when the peer reads.
    public var isReading = true
    /// Useless bytes of the peer.
    public private(set) var waste = 0
    /// Bytes that wait although no line does: those of a peer that has much unread.
    public var ballast = 0

    /// Bytes that wait for the peer.
    public var backlog: Int { ballast + (isReading ? 0 : waiting.reduce(0) { $0 + $1.utf8.count + 1 }) }
    /// True when reading from the peer is paused.
    public var isPaused: Bool { pauses > 0 }

    /// Delivers messages from now on.
    public func start(_ delegate: any ConnectionDelegate) { self.delegate = delegate }

    /// Sends the peer whole messages.
    public func send(_ fill: (inout [UInt8]) -> Void) {
        guard !isClosed, !closesAfterFlush else { return }
        var bytes: [UInt8] = []
        fill(&bytes)
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            if let onLine { onLine(text) } else { waiting.append(text) }
        }
    }

    /// Stops reading from the peer.
    public func pause() { pauses += 1 }

    /// Ends one pause; reading goes on when no other pause is left.
    public func resume() {
        pauses -= 1
        while pauses == 0, !incoming.isEmpty { deliver(incoming.removeFirst()) }
    }

    /// Calls `body` once when no bytes wait any more.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        if backlog == 0 || isClosed { body() } else { onDrained.append(body) }
    }

    /// Notes useless bytes.
    public func cameInVain(_ count: Int) { waste += count }

    /// Closes at once: waiting lines are lost.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        let told = delegate
        delegate = nil
        told?.closed()
        drained()
    }

    /// Closes when the peer has read all lines.
    public func closeAfterFlush() {
        closesAfterFlush = true
        if backlog == 0 { close() }
    }

    /// There is no socket to hand over.
    public func handOver() -> (socket: SharedFD?, state: ConnectionState) {
        isClosed = true
        delegate = nil
        return (nil, .new)
    }

    /// Nothing was on its way.
    public func resume(after state: ConnectionState) {}

    // MARK: the peer

    /// The peer sends a line.
    public func write(_ line: String) {
        if pauses > 0 { incoming.append(line) } else { deliver(line) }
    }

    /// The peer sends no more.
    public func finish() { delegate?.peerFinished() }

    /// The peer reads all waiting lines.
    public func readAll() -> [String] {
        let lines = waiting
        waiting = []
        ballast = 0
        drained()
        return lines
    }

    /// The next line to the peer.
    public func next() -> String? { waiting.isEmpty ? nil : waiting.removeFirst() }

    private func drained() {
        let bodies = onDrained
        onDrained = []
        for body in bodies { body() }
        if closesAfterFlush { close() }
    }

    private func deliver(_ line: String) {
        Array(line.utf8).withUnsafeBytes { bytes in
            do throws(MalformedMessage) {
                switch try Message.scan(bytes) {
                case .request(let request): delegate?.receive(request)
                case .reply(let reply): delegate?.receive(reply)
                case .batch(let batch): for element in batch { deliver(String(decoding: element, as: UTF8.self)) }
                }
            } catch {
                delegate?.receive(error)
            }
        }
    }
}

/// A router with sessions that have no sockets, and services that answer at once.
@PMActor
public final class RouterRig {
    /// The services.
    public let registry = CommandRegistry()
    /// The router.
    public let router: ServiceRouter
    /// Answers requests to the daemon.
    public let handler = StubHandler()
    private var incarnation: UInt64 = 0

    /// A router without sessions.
    public init(_ reactor: Reactor) {
        router = ServiceRouter(registry, reactor: reactor)
        router.handler = handler
        handler.router = router
    }

    /// A client and its session.
    public func client(_ user: UInt32 = 1) throws -> (link: MemoryLink, session: Session) {
        let link = MemoryLink()
        return (link, try router.open(link, .client(.init(pid: 1, user: user, group: user))))
    }

    /// A service that sends nothing by itself; its commands are idempotent if wanted.
    public func service(
        _ unit: String, signals: Bool = true, commands: [String] = [], idempotent: Bool = false
    ) throws -> (link: MemoryLink, session: Session) {
        let link = MemoryLink()
        incarnation += 1
        let id = IncarnationID(unit: unit, number: incarnation)
        let session = try router.open(link, .service(id))
        registry.add(id, session)
        let config: JSONObject = ["": .object(["inject": [], "idempotent": .bool(idempotent)])]
        var metadata = ServiceMetadata(
            name: unit, commands: commands.map { CommandMetadata(name: $0, config: config) })
        if signals { metadata.others["accepts"] = .array(FlowSignal.allCases.map { .string($0.rawValue) }) }
        try registry.publish(metadata, of: id)
        return (link, session)
    }

    /// Gives a service that runs commands that nobody may call.
    public func hide(_ commands: [String], of unit: String) throws {
        guard let id = registry.service(unit)?.id else { return }
        let list = commands.map { CommandMetadata(name: $0, config: ["jsonrpc": false]) }
        try registry.publish(ServiceMetadata(name: unit, commands: list), of: id)
    }

    /// Ends the service, as the supervisor does.
    public func end(_ service: Session) {
        guard case .service(let id) = service.origin else { return }
        registry.remove(id)?.session.connection.close()
    }
}

/// Answers `name`, and stores requests for `wait`; `proxy` leads to a service.
@PMActor
public final class StubHandler: RequestHandler {
    /// Answers instead of this, if there is one: the method, its first parameter, the answer.
    public var onRequest: (@PMActor (String, String, Responder) -> Void)?

    /// Begins without a request.
    public init() {}

    /// The registry of services.
    public weak var router: ServiceRouter?
    /// Requests that are not answered yet.
    public var kept: [Responder] = []
    /// Reasons why channels were given up.
    public var reasons: [String] = []

    /// Takes a request.
    public func handle(_ request: RPCRequest, from session: Session) {
        guard let call = session.openResponder(for: request) else { return }
        if let onRequest {
            // What was scanned is JSON, so this cannot fail.
            let params = request.params.flatMap { try? JSONValue(parsing: $0) }
            onRequest(request.method.string, params?[0]?.string ?? "", call)
            return session.keep(call)
        }
        switch request.method.string {
        case "name": call.succeed("a name")
        case "wait": kept.append(call)
        case "stream":
            kept.append(call)
            _ = call.beginStream()
            call.whenCancelled { call.stream(.end) }
        case "proxy":
            call.succeed(.null)
            if let service = router?.registry.service("svc") { session.proxy(to: service) }
        case let other: call.reject(.methodNotFound(other))
        }
        session.keep(call)
    }

    /// The channel of a service is given up.
    public func givenUp(_ service: IncarnationID, _ reason: String) { reasons.append("\(service.unit): \(reason)") }
    /// A call of a service is refused.
    public func refused(_ method: String, from session: Session) { refusals.append(method) }
    /// The methods that were refused.
    public private(set) var refusals: [String] = []
}
