import JSON
import JSONRPC
import NIOCore
import NIOPosix
import PMAPI

/// A client of the gateway: what its connection shows of it, a certificate and where it connects from, and what it makes the
/// gateway hold.
struct ShownByClient {
    /// Memory that it uses in the gateway.
    let memory: MemoryAccount
    /// A certificate that an authority of the point has issued.
    var certificate: ClientSession.ClientCertificate?
    /// The client's end of a TCP connection, and the gateway's.
    private(set) var client: String?, server: String?

    /// Nothing is known yet but the addresses of the connection.
    init(of channel: any Channel, _ memory: MemoryAccount) {
        self.memory = memory
        client = channel.remoteAddress.flatMap(Self.text)
        server = channel.localAddress.flatMap(Self.text)
    }

    private static func text(_ address: SocketAddress) -> String? {
        guard let host = address.ipAddress, let port = address.port else { return nil }
        // An address of IPv6 may have a zone, which means nothing elsewhere.
        let plain = host.prefix { $0 != "%" }
        return plain.contains(":") ? "[\(plain)]:\(port)" : "\(plain):\(port)"
    }
}

/// Opens sessions with the daemon: each is a connection of its own, over which one client may do what the daemon has decided.
final class Sessions {
    /// Rights of a client, from the daemon: equal for clients with equal rights.
    typealias Rights = ClientSession.Answer

    /// Why there is no session.
    enum Failure: Error {
        /// The daemon cannot be reached, or has left.
        case unreachable(String)
        /// The client's authentication is not enough.
        case refused(APIError)

        /// As an answer to the client.
        var error: APIError {
            switch self {
            case .unreachable(let reason):
                .stopping("the daemon cannot be reached: \(reason)", hint: "pm start pm")
            case .refused(let error): error
            }
        }
    }

    private let path: String
    private let log: GatewayLog

    /// - Parameter path: where the daemon is asked for sessions.
    init(_ path: String, _ log: GatewayLog) {
        self.path = path
        self.log = log
    }

    /// Asks for a session of a client of a point, and puts `handler` at the end of its connection once it is there.
    func open(
        _ request: ClientSession, on loop: any EventLoop, _ handler: any ChannelHandler,
        then: @escaping (Result<Rights, Failure>) -> Void
    ) {
        let opening = OpeningSession(request, handler) { [log] result in
            if case .failure(let failure) = result {
                log.tell(
                    of: "sessions",
                    "the daemon refused a session for a client of \(request.url): \(failure.error.message)")
            }
            then(result)
        }
        let bound = NIOLoopBound(opening, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(unixDomainSocketPath: path)
            .whenFailure { error in bound.value.fail(.unreachable("\(error)")) }
    }
}

extension ClientSession {
    /// Of a client with what its connection and one request have shown.
    init(at point: NetworkPoint, _ shown: ShownByClient, token: String? = nil) {
        self.init(point: point.word)
        self.token = token
        certificate = shown.certificate
        client = shown.client
        server = shown.server
    }

    /// The URL of the point.
    fileprivate var url: String { point.split(separator: ",", maxSplits: 1).first.map(String.init) ?? point }
}

/// The first handler of a connection to the daemon: asks for the session, and makes room when it is there.
private final class OpeningSession: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ClientSession
    private let handler: any ChannelHandler
    private var then: ((Result<Sessions.Rights, Sessions.Failure>) -> Void)?
    private var bytes = ByteBuffer()
    /// More than the longest answer.
    private static let longestAnswer = 256 << 10

    init(
        _ request: ClientSession, _ handler: any ChannelHandler,
        _ then: @escaping (Result<Sessions.Rights, Sessions.Failure>) -> Void
    ) {
        self.request = request
        self.handler = handler
        self.then = then
    }

    func fail(_ failure: Sessions.Failure) {
        then?(.failure(failure))
        then = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        var line: [UInt8] = []
        MessageWriter.request(id: 0, method: ClientSession.method.rawValue, params: request.params, to: &line)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: line)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        guard then != nil else { return context.fireChannelRead(wrapInboundOut(piece)) }
        bytes.writeBuffer(&piece)
        guard let end = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            if bytes.readableBytes > Self.longestAnswer { giveUp(context, "its answer is too long") }
            return
        }
        let line = bytes.readSlice(length: end - bytes.readerIndex) ?? ByteBuffer()
        bytes.moveReaderIndex(forwardBy: 1)
        switch Self.answer(line) {
        case .success(let rights): open(context, rights)
        case .failure(let failure):
            fail(failure)
            context.close(promise: nil)
        }
    }

    private func open(_ context: ChannelHandlerContext, _ rights: Sessions.Rights) {
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        } catch {
            return giveUp(context, "\(error)")
        }
        let then = then
        self.then = nil
        then?(.success(rights))
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func giveUp(_ context: ChannelHandlerContext, _ reason: String) {
        fail(.unreachable(reason))
        context.close(promise: nil)
    }

    private static func answer(_ line: ByteBuffer) -> Result<Sessions.Rights, Sessions.Failure> {
        line.withUnsafeReadableBytes { raw in
            // What is no answer is nothing that a session could begin with.
            guard case .reply(let reply)? = try? Message.scan(raw) else {
                return .failure(.unreachable("it does not answer in JSON-RPC"))
            }
            do throws(RPCError) {
                let value = try reply.value()
                do throws(APIError) {
                    return .success(try Sessions.Rights(json: value))
                } catch {
                    return .failure(.unreachable(error.message))
                }
            } catch {
                return .failure(.refused(APIError(error)))
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if then != nil, let event = event as? ChannelEvent, event == .inputClosed {
            return giveUp(context, "it ended the connection")
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard then != nil else { return context.fireErrorCaught(error) }
        giveUp(context, "\(error)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.unreachable("it ended the connection"))
        context.fireChannelInactive()
    }
}
