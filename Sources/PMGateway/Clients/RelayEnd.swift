import NIOCore

/// One end of two connections that are passed on to each other, byte for byte.
///
/// Each side is read only while the other one can be written to, so that no more waits than the socket's buffers, one
/// read, and what the peer wrote before it was known that nobody takes it. The end of one direction is passed on as
/// that; when one connection is closed, so is the other.
final class RelayEnd: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: RelayEnd?
    private var context: ChannelHandlerContext?
    /// Somebody asked for a read that has to wait.
    private var isReadWanted = false
    private var isInputOver = false
    /// Bytes that came before there was a partner: one read, because the gateway makes no second one.
    private var early: [ByteBuffer] = []

    /// Joins two ends; what waited begins to flow.
    static func join(_ one: RelayEnd, _ other: RelayEnd) {
        one.partner = other
        other.partner = one
        one.goOn()
        other.goOn()
    }

    /// Ends the connection.
    func close() {
        context?.close(promise: nil)
    }

    private func goOn() {
        for buffer in early { partner?.write(buffer) }
        if !early.isEmpty { partner?.context?.flush() }
        early = []
        if isInputOver { partner?.context?.close(mode: .output, promise: nil) }
        readAgain()
    }

    private func readAgain() {
        guard isReadWanted, let context, let partner, partner.isWritable else { return }
        isReadWanted = false
        context.read()
    }

    private func write(_ buffer: ByteBuffer) {
        context?.write(wrapOutboundOut(buffer), promise: nil)
    }

    private var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if let partner { partner.write(buffer) } else { early.append(buffer) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.context?.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        isInputOver = true
        partner?.context?.close(mode: .output, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Whatever it was, half a conversation is of no use to either side.
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.readAgain() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if let partner, partner.isWritable { context.read() } else { isReadWanted = true }
    }
}
