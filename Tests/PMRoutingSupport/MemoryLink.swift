import JSON
public import JSONRPC
import PMAPI
public import PMModel
public import PMRouting
public import PMSystem

/// A connection without a socket: lines go in, and lines come out.
@PMActor
public final class MemoryLink: Link {
    /// A connection on which nothing has happened.
    public init() {}

    private var delegate: (any ConnectionDelegate)?
    private var waiting: [String] = []
    private var incoming: [String] = []
    private var onDrained: [@PMActor () -> Void] = []
    private var pauses = 0
    /// Called with each line that is sent to the peer; nil: lines wait until they are taken.
    public var onLine: (@PMActor (String) -> Void)?
    /// Whether the connection is gone.
    public private(set) var isClosed = false
    /// Whether it is closed when the peer has taken all.
    public private(set) var closesAfterFlush = false
    /// Whether its peer may not do everything.
    public var isLimited = false
    /// Whether the peer takes what it is sent.
    public var isReading = true
    /// Bytes that the peer sent without success.
    public private(set) var waste = 0
    /// Bytes that wait although no line does: of whoever has a lot.
    public var ballast = 0

    /// Bytes that wait for the peer.
    public var backlog: Int { ballast + (isReading ? 0 : waiting.reduce(0) { $0 + $1.utf8.count + 1 }) }
    /// Whether the peer is not read from.
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

    /// Reads nothing from the peer.
    public func pause() { pauses += 1 }

    /// Ends one pause.
    public func resume() {
        pauses -= 1
        while pauses == 0, !incoming.isEmpty { deliver(incoming.removeFirst()) }
    }

    /// Calls `body` once when nothing waits any more.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        if backlog == 0 || isClosed { body() } else { onDrained.append(body) }
    }

    /// Notes bytes that nobody wanted.
    public func cameInVain(_ count: Int) { waste += count }

    /// Closes at once.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        let told = delegate
        delegate = nil
        told?.closed()
        drained()
    }

    /// Closes when the peer has taken all.
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

    /// The peer takes all that it was sent.
    public func take() -> [String] {
        let lines = waiting
        waiting = []
        ballast = 0
        drained()
        return lines
    }

    /// The next line that the peer was sent.
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
    /// Answers for the daemon.
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

    /// A service that says nothing by itself; its commands are idempotent if asked.
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

    /// The service is gone, as the supervisor says it.
    public func end(_ service: Session) {
        guard case .service(let id) = service.origin else { return }
        registry.remove(id)?.session.connection.close()
    }
}

/// Answers `name`, and keeps what it is asked with `wait`; `proxy` leads to a service.
@PMActor
public final class StubHandler: RequestHandler {
    /// Answers instead of this, if there is one: the method, its first parameter, the answer.
    public var onRequest: (@PMActor (String, String, Responder) -> Void)?

    /// Has been asked nothing.
    public init() {}

    /// Where services are looked up.
    public weak var router: ServiceRouter?
    /// What is not answered yet.
    public var kept: [Responder] = []
    /// Why channels were given up.
    public var reasons: [String] = []

    /// Takes a request.
    public func handle(_ request: RPCRequest, from session: Session) {
        guard let call = session.begin(request) else { return }
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
}
