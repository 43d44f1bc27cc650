import NIOCore

/// A session with the daemon that somebody speaks over in whole lines.
final class DaemonLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private let memory: MemoryAccount
    private var lines = LineBuffer()
    /// Gets each line of the daemon.
    var onLine: (ByteBuffer) -> Void = { _ in }
    /// Called once, when the connection has ended.
    var onEnd: () -> Void = {}

    /// - Parameter memory: whom lines without an end are charged to.
    init(_ memory: MemoryAccount) {
        self.memory = memory
    }

    var isOpen: Bool { context != nil }

    /// Sends lines, with their ends.
    func send(_ lines: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(lines), promise: nil)
    }

    /// Turns reading from the daemon on or off.
    func setReading(_ isReading: Bool) {
        // It fails only for a channel that is closed, and then nothing is read anyway.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    /// Ends the connection; what was asked over it is cancelled by that.
    func close() {
        onLine = { _ in }
        onEnd = {}
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lines.append(unwrapInboundIn(data))
        while let line = lines.next() {
            memory.release(.line)  // the receiver of the line counts it
            onLine(line)
        }
        if lines.isTooLong || memory.set(.line, lines.count) != nil { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        guard self.context != nil else { return }
        self.context = nil
        memory.release(.line)
        onEnd()
    }
}
