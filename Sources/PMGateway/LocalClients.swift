import Glibc
import JSONRPC
import NIOCore
import PMAPI
import PMModel
import PMSystem

/// Decides who may use a point on loopback that asks for no proof: processes of root and of the daemon's user.
///
/// Whoever is served there can run programs as the daemon's user, and loopback is open to every user of the machine. The
/// kernel knows which user holds the client's end of a connection.
struct LocalClients {
    /// The path of the daemon's socket, whose owner is the daemon's user.
    let daemon: String

    /// Why the client of a connection is not served; nil when it is.
    func refusal(of channel: any Channel) -> APIError? {
        do throws(SystemError) {
            guard let client = TCPOwner.End(channel.remoteAddress), let server = TCPOwner.End(channel.localAddress)
            else { return .notPermitted("this client has no address") }
            let user = try TCPOwner.user(client: client, server: server)
            guard let owner = try Files.entry(daemon)?.owner else {
                return APIError(
                    503, "the daemon cannot be reached: there is no socket at \(daemon)", hint: "pm start pm")
            }
            return user == 0 || user == owner ? nil : Self.refusal(of: user, owner)
        } catch {
            return .notPermitted(
                "pm-gateway cannot find out which user connects: \(error)",
                hint: "use a token (--token FILE) or client certificates (--ca FILE)")
        }
    }

    private static func refusal(of user: uid_t, _ owner: uid_t) -> APIError {
        .notPermitted(
            "this connection point is for root and user \(owner), and user \(user) has connected",
            hint: "connect with a token (pm connect pm ... --token FILE) or a client certificate (--ca FILE)")
    }
}

extension TCPOwner.End {
    fileprivate init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self.init(address.address)
        case .v6(let address): self.init(address.address)
        case .unixDomainSocket, nil: return nil
        }
    }
}

/// Answers a client that is not served in the words of the point's protocol, and closes the connection.
///
/// What the client sends is read and thrown away for a moment: closing with unread bytes would reset the connection, and the
/// answer would be lost (RFC 1122, 4.2.2.13).
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let pause = TimeAmount.seconds(1)
    private static let mostBytes = 64 << 10

    private let answer: [UInt8]
    private var received = 0
    private var timer: Scheduled<Void>?

    init(_ error: APIError, isWeb: Bool) {
        answer = isWeb ? Self.page(error) : Self.line(error)
    }

    private static func line(_ error: APIError) -> [UInt8] {
        var line: [UInt8] = []
        MessageWriter.rejection(id: .unreadable, error.rpc.shown, to: &line)
        return line
    }

    private static func page(_ error: APIError) -> [UInt8] {
        let body = error.rpc.shown.json.text + "\n"
        let reason = error.statusCode == 403 ? "403 Forbidden" : "503 Service Unavailable"
        return Array(
            """
            HTTP/1.1 \(reason)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            Connection: close\r
            \r
            \(body)
            """.utf8)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { refuse(context) }
    }

    func channelActive(context: ChannelHandlerContext) { refuse(context) }

    private func refuse(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: Self.pause) { bound.value.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        context.close(mode: .output, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytes
        if received > Self.mostBytes { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { timer?.cancel() }
}
