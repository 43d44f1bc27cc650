import JSONRPC
import NIOCore

/// The first handler of a connection of lines: nothing reaches the handlers behind it, and no daemon is asked for anything,
/// before the client's first line was seen whole and is a message (see `FirstLine`).
final class FirstLineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case reading(FirstLine)
        /// The client was answered, and what still comes is thrown away.
        case refused
        case accepted
    }

    private var state: State
    private let limits: GatewayLimits
    private let account: MemoryAccount
    private var timer: Scheduled<Void>?
    /// Adds the handlers that serve the client.
    private let onAccept: (any Channel) throws -> Void
    /// Told why a client is refused.
    private let onRefuse: () -> Void
    /// Time for a client to read the answer, in seconds.
    private static let lingerSeconds: Int64 = 2

    init(
        _ place: String, _ limits: GatewayLimits, _ account: MemoryAccount,
        _ callbacks: (onAccept: (any Channel) throws -> Void, onRefuse: () -> Void)
    ) {
        state = .reading(FirstLine(place: "This is a connection point of pm (\(place))", limit: limits.message))
        self.limits = limits
        self.account = account
        (onAccept, onRefuse) = callbacks
    }

    func handlerAdded(context: ChannelHandlerContext) {
        close(context, in: TimeAmount(limits.handshake))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        account.release(.input)
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        timer?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: time) { bound.value.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .refused: break
        case .accepted: context.fireChannelRead(data)
        case .reading(var line):
            // Nobody else holds the bytes while they grow.
            state = .refused
            let verdict = line.received(unwrapInboundIn(data).readableBytesView)
            act(verdict, line, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .reading(var line) = state, let ended = event as? ChannelEvent, ended == .inputClosed {
            act(line.finish(), line, context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func act(_ verdict: FirstLine.Verdict, _ line: FirstLine, _ context: ChannelHandlerContext) {
        switch verdict {
        case .wait:
            if let refusal = account.set(.input, line.bytes.capacity) {
                refuse(Stranger.other.answer("", refusal.message), context)
            } else {
                state = .reading(line)
            }
        case .accept: accept(line, context)
        case .refuse(let answer): refuse(answer, context)
        }
    }

    private func accept(_ line: FirstLine, _ context: ChannelHandlerContext) {
        state = .accepted
        timer?.cancel()
        account.release(.input)
        do {
            try onAccept(context.channel)
            context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: line.bytes)))
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    /// Closing a connection with unread bytes resets it, and takes the answer along: the writing half goes first.
    private func refuse(_ answer: [UInt8], _ context: ChannelHandlerContext) {
        state = .refused
        account.release(.input)
        onRefuse()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        context.close(mode: .output, promise: nil)
        close(context, in: .seconds(Self.lingerSeconds))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
