import NIOCore
import NIOWebSocket

/// Counts the bytes of the frame that has no end yet, which the decoder behind this handler keeps.
final class UnfinishedFrame: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let memory: MemoryAccount
    private var size = 0
    private var isOver = false

    init(_ memory: MemoryAccount) {
        self.memory = memory
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        size += unwrapInboundIn(data).readableBytes
        // Frames that come whole take their bytes away meanwhile.
        context.fireChannelRead(data)
        if !isOver, let refusal = memory.set(.frame, size) { context.fireErrorCaught(refusal) }
    }

    /// Nothing that still comes is kept.
    func stop() { isOver = true }

    /// The decoder has given a frame away.
    func ended(_ frame: WebSocketFrame) {
        let length = frame.data.readableBytes
        let head = length < 126 ? 2 : length <= 0xFFFF ? 4 : 10
        size -= head + (frame.maskKey == nil ? 0 : 4) + length
    }
}
