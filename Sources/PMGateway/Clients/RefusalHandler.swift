import JSONRPC
import NIOCore
import PMAPI

/// Answers a client that is not served with a message that is an error, and closes the connection.
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

    /// Of a connection of lines.
    init(_ error: APIError) {
        var line: [UInt8] = []
        MessageWriter.rejection(id: .unreadable, error.rpc.shown, to: &line)
        answer = line
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
