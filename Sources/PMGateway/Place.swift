import COpenSSL
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import PMAPI

/// What all places share.
struct GatewayContext {
    let daemon: String
    let limits: GatewayLimits
    let log: GatewayLog
    let clients: Clients
    let memory: MemoryBudget
}

/// One place that is listened at, and how its connections are served.
final class Place {
    let points: [NetworkPoint]
    private let context: GatewayContext
    private let identity: TLSIdentity?
    private let web: WebPlace?

    /// Reads what the place needs.
    ///
    /// - Throws: `TLSError` or `TokenFile.Problem` when a file cannot be used.
    init(_ points: [NetworkPoint], _ context: GatewayContext) throws {
        self.points = points
        self.context = context
        let point = points[0]
        identity = try point.secrets.map { secrets throws(TLSError) in
            try TLSIdentity(secrets, isClientOptional: point.token != nil, context.log)
        }
        if point.transport.isWeb {
            let token = try point.token.map { path throws(TokenFile.Problem) in try TokenFile(path, context.log) }
            web = WebPlace(points, WebGate(point, token), context)
        } else {
            web = nil
        }
    }

    /// The place, for messages.
    var name: String { points.map(\.url).joined(separator: " and ") }

    /// Begins to serve a connection: nothing happens before its first byte.
    func serve(_ channel: any Channel) throws {
        let client: Client
        do throws(TurnedAway) {
            client = try context.clients.admit(ClientSource(channel.remoteAddress)).get()
        } catch {
            context.log.tell(of: "clients", "a client of \(name) is turned away: \(error.reason)")
            throw error
        }
        let bound = NIOLoopBound(client, eventLoop: channel.eventLoop)
        channel.closeFuture.whenComplete { _ in bound.value.leave() }
        let first = FirstByteHandler(client, deadline: TimeAmount(context.limits.firstByte)) { [self] channel in
            try serve(channel, client)
        }
        try channel.pipeline.syncOperations.addHandler(first)
    }

    private func serve(_ channel: any Channel, _ client: Client) throws {
        if points[0].proof == .localUser, let refusal = LocalClients(daemon: context.daemon).refusal(of: channel) {
            return try turnAway(channel, refusal)
        }
        guard let identity else { return try open(channel, isClientKnown: false) }
        if let error = client.beginHandshake() {
            context.log.tell(of: "handshakes", "a client of \(name) is turned away: \(error.reason)")
            throw error
        }
        let handshake = HandshakeHandler(self, context, client)
        try channel.pipeline.syncOperations.addHandlers(TLSHandler(try identity.session()), handshake)
    }

    /// A client within TLS is told nothing: it would wait for a handshake, which is work for a processor.
    private func turnAway(_ channel: any Channel, _ refusal: APIError) throws {
        context.log.tell(of: "users", "a client of \(name) is turned away: \(refusal.message)")
        guard identity == nil else { return channel.close(promise: nil) }
        try channel.pipeline.syncOperations.addHandler(RefusalHandler(refusal, isWeb: web != nil))
    }

    /// Puts the handlers of the transport behind the present ones.
    func open(_ channel: any Channel, isClientKnown: Bool) throws {
        if let web { try openWeb(channel, web, isClientKnown) } else { try openRelay(channel) }
    }

    /// Passes everything on between the client and a connection to the daemon, once its first line is a message.
    private func openRelay(_ channel: any Channel) throws {
        let first = FirstLineHandler(
            name, context.limits, MemoryAccount(context.memory),
            (
                onAccept: { [self] channel in
                    let end = RelayEnd()
                    try channel.pipeline.syncOperations.addHandler(end)
                    relay(channel, end)
                },
                onRefuse: { [self] in
                    context.log.tell(of: "line", "a client of \(name) is refused: it does not speak JSON-RPC")
                }
            ))
        try channel.pipeline.syncOperations.addHandler(first)
    }

    private func relay(_ channel: any Channel, _ end: RelayEnd) {
        let other = RelayEnd()
        let log = context.log
        DaemonLink.connect(context.daemon, on: channel.eventLoop, other) { result in
            switch result {
            case .success: RelayEnd.join(end, other)
            case .failure(let error):
                log.tell(of: "daemon", "the daemon cannot be reached: \(error)")
                channel.close(promise: nil)
            }
        }
    }

    private func openWeb(_ channel: any Channel, _ web: WebPlace, _ isClientKnown: Bool) throws {
        let conversation = WebConversation(web, isClientKnown: isClientKnown)
        let bound = NIOLoopBound((self, web, conversation), eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: context.limits.message, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                let isUpgraded = bound.value.1.isUpgraded(head, isClientKnown: isClientKnown)
                return channel.eventLoop.makeSucceededFuture(isUpgraded ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { try bound.value.0.openWebSocket(channel) }
            })
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = context.limits.head
        limits.maxHeaderListSize = context.limits.head
        limits.maxHeaderFieldCount = 100
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value.2, promise: nil)
                }
            ), withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try channel.pipeline.syncOperations.addHandler(conversation)
    }

    private func openWebSocket(_ channel: any Channel) throws {
        let end = RelayEnd()
        try channel.pipeline.syncOperations.addHandlers(WebSocketHandler(limit: context.limits.message), end)
        relay(channel, end)
    }
}

/// Lets those in whose handshake is done in time.
private final class HandshakeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let place: Place
    private let shared: GatewayContext
    private let client: Client
    private var timer: Scheduled<Void>?

    init(_ place: Place, _ shared: GatewayContext, _ client: Client) {
        self.place = place
        self.shared = shared
        self.client = client
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(shared.limits.handshake)) {
            bound.value.close(promise: nil)
        }
    }

    private func settle() {
        guard let timer else { return }
        timer.cancel()
        self.timer = nil
        client.endHandshake()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSEstablished else { return context.fireUserInboundEventTriggered(event) }
        settle()
        do {
            try place.open(context.channel, isClientKnown: event.isClientKnown)
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSFailure {
            shared.log.tell(of: "tls", "a connection to \(place.name) is closed: \(error)")
        }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        settle()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { settle() }
}
