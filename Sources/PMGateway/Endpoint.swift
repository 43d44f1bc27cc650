import COpenSSL
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import PMAPI

/// Parts that all endpoints share.
struct GatewayContext {
    let sessions: Sessions
    let limits: GatewayLimits
    let log: GatewayLog
    let clients: Clients
    let lanes = HeavyLanes()
}

/// One place that is listened at, and how its connections are served.
final class Endpoint {
    let points: [NetworkPoint]
    private let context: GatewayContext
    private let identity: TLSIdentity?
    private let web: WebEndpoint?

    /// Reads what the place needs.
    ///
    /// - Throws: `TLSError` when a file cannot be used.
    init(_ points: [NetworkPoint], _ context: GatewayContext) throws(TLSError) {
        self.points = points
        self.context = context
        let point = points[0]
        identity = try point.secrets.map { secrets throws(TLSError) in
            try TLSIdentity(secrets, isClientOptional: !point.tokens.isEmpty, context.log)
        }
        web = point.transport.isWeb ? WebEndpoint(points, WebAccess(point), context) : nil
    }

    /// The place, for messages.
    var name: String { points.map(\.url).joined(separator: " and ") }

    /// Begins to serve a connection: nothing happens before its first byte.
    func serve(_ channel: any Channel) throws {
        let client: Client
        do throws(RejectedClient) {
            client = try context.clients.admit(ClientSource(channel.remoteAddress)).get()
        } catch {
            context.log.tell(of: "clients", "the gateway refused a client of \(name): \(error.reason)")
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
        guard let identity else { return try open(channel, client, certificate: nil) }
        if let error = client.beginHandshake() {
            context.log.tell(of: "handshakes", "the gateway refused a client of \(name): \(error.reason)")
            throw error
        }
        let handshake = HandshakeHandler(self, context, client)
        try channel.pipeline.syncOperations.addHandlers(TLSHandler(try identity.session()), handshake)
    }

    /// Puts the handlers of the transport behind the present ones.
    func open(_ channel: any Channel, _ client: Client, certificate: ClientSession.ClientCertificate?) throws {
        var shown = ShownByClient(of: channel, client.memory)
        shown.certificate = certificate
        if let web { try openWeb(channel, web, shown) } else { try openRelay(channel, shown) }
    }

    /// Passes everything on between the client and a session with the daemon, once its first line is a message.
    private func openRelay(_ channel: any Channel, _ shown: ShownByClient) throws {
        let first = FirstLineHandler(
            name, context.limits, shown.memory,
            (
                onAccept: { [self] channel in
                    let end = RelayEnd()
                    try channel.pipeline.syncOperations.addHandler(end)
                    relay(channel, end, shown)
                },
                onRefuse: { [self] in
                    context.log.tell(of: "line", "the gateway refused a client of \(name): it does not speak JSON-RPC")
                }
            ))
        try channel.pipeline.syncOperations.addHandler(first)
    }

    private func relay(_ channel: any Channel, _ end: RelayEnd, _ shown: ShownByClient) {
        let other = RelayEnd()
        let bound = NIOLoopBound(channel, eventLoop: channel.eventLoop)
        context.sessions.open(ClientSession(at: points[0], shown), on: channel.eventLoop, other) { result in
            switch result {
            case .success: RelayEnd.join(end, other)
            case .failure(let failure): Self.refuse(bound.value, end, failure.error)
            }
        }
    }

    /// Sends the client the reason before its connection ends.
    private static func refuse(_ channel: any Channel, _ end: RelayEnd, _ error: APIError) {
        do {
            try channel.pipeline.syncOperations.addHandler(RefusalHandler(error), position: .after(end))
            channel.pipeline.syncOperations.removeHandler(end).whenComplete { _ in channel.read() }
        } catch {
            // The client is gone already: its channel takes no handlers any more.
            channel.close(promise: nil)
        }
    }

    private func openWeb(_ channel: any Channel, _ web: WebEndpoint, _ shown: ShownByClient) throws {
        let conversation = HTTPConnection(web, shown)
        let handshake = WebSocketHandshake(web, shown)
        let bound = NIOLoopBound((self, handshake, conversation), eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: context.limits.message, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in bound.value.1.accept(head, channel) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { try bound.value.1.finish(channel) }
            })
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = context.limits.head
        limits.maxHeaderListSize = context.limits.head
        limits.maxHeaderFieldCount = 100
        var framing = HTTPResponseEncoder.Configuration()
        // Each answer has its length or pieces itself: NIO would send pieces to HTTP/1.0, and their end after an answer to HEAD.
        framing.automaticallySetFramingHeaders = false
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value.2, promise: nil)
                }
            ), withEncoderConfiguration: framing, withDecoderLimitConfiguration: limits)
        try channel.pipeline.syncOperations.addHandler(conversation)
    }
}

/// Lets those in whose handshake is done in time.
private final class HandshakeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let place: Endpoint
    private let shared: GatewayContext
    private let client: Client
    private var timer: Scheduled<Void>?

    init(_ place: Endpoint, _ shared: GatewayContext, _ client: Client) {
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
            try place.open(context.channel, client, certificate: event.certificate)
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
