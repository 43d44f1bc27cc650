import NIOCore

/// The owner of a session with the daemon.
protocol DaemonLinkOwner: AnyObject {
    /// The daemon sent a line.
    func received(_ line: ByteBuffer, over link: DaemonLink)
    /// The connection has ended; called once, unless the owner closed it.
    func ended(_ link: DaemonLink)
}

/// A session with the daemon that somebody speaks over in whole lines.
final class DaemonLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private let memory: MemoryAccount
    private var lines = LineBuffer()
    private weak var owner: (any DaemonLinkOwner)?

    /// - Parameter memory: whom lines without an end are charged to.
    init(_ memory: MemoryAccount, _ owner: any DaemonLinkOwner) {
        self.memory = memory
        self.owner = owner
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
        owner = nil
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lines.append(unwrapInboundIn(data))
        while let line = lines.next() {
            memory.release(.line)  // the receiver of the line counts it
            owner?.received(line, over: self)
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
        owner?.ended(self)
    }
}
