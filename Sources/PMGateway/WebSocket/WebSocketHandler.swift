import NIOCore
import NIOWebSocket

/// Between frames and lines: a message of text is one line to those behind, and one line of theirs is one message, an
/// empty one too.
///
/// A line that is long goes out in several frames, so that it need not be held whole.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    /// Part of a line that has no end yet is sent when it is as long as this.
    private static let piece = 64 << 10
    /// Time for a client to answer our close frame.
    private static let closeTimeout = TimeAmount.seconds(5)

    private let memory: MemoryAccount
    private let unfinished: UnfinishedFrame
    private var messages: WebSocketMessages
    private var lines = LineBuffer()
    /// A frame of an unfinished message went out.
    private var isContinuing = false
    private var hasSaidGoodbye = false
    private var isReadWanted = false

    /// - Parameters:
    ///   - memory: whom unfinished messages are charged to.
    ///   - unfinished: called with each frame.
    init(limit: Int, _ memory: MemoryAccount, _ unfinished: UnfinishedFrame) {
        messages = WebSocketMessages(limit: limit)
        self.memory = memory
        self.unfinished = unfinished
    }

    // MARK: from the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        unfinished.ended(frame)
        let action = messages.received(frame)
        if let refusal = memory.set(.message, messages.held) { return refuse(context, refusal) }
        switch action {
        case .wait: break
        case .message(var text):
            text.makeOneLine()
            context.fireChannelRead(wrapInboundOut(text))
        case .pong(let data): send(context, .pong, data)
        case .goodbye(let code): sayGoodbye(context, code, "")
        case .fail(let code, let reason): sayGoodbye(context, code, reason)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let refusal = error as? MemoryBudget.Refusal { return refuse(context, refusal) }
        guard let error = error as? NIOWebSocketError else { return context.fireErrorCaught(error) }
        switch error {
        case .invalidFrameLength: sayGoodbye(context, .messageTooLarge, "a frame is too long")
        case .fragmentedControlFrame: sayGoodbye(context, .protocolError, "a control frame is fragmented")
        case .multiByteControlFrameLength: sayGoodbye(context, .protocolError, "a control frame is too long")
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: MemoryBudget.Refusal) {
        unfinished.stop()
        messages.forget()
        // 1013, "try again later", of the registry of RFC 6455.
        sayGoodbye(context, WebSocketErrorCode(codeNumber: 1013), refusal.message)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Half of a WebSocket is none: a frame announces its end.
        if let event = event as? ChannelEvent, event == .inputClosed { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Answers to pings wait for the client too: one that takes none is not read from.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { isReadWanted = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, isReadWanted {
            isReadWanted = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: to the client

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasSaidGoodbye else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        lines.append(unwrapOutboundIn(data))
        while let line = lines.next() { sendText(context, line, isLast: true) }
        if lines.count > Self.piece { sendText(context, lines.takeAll(), isLast: false) }
        promise?.succeed(())
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // The daemon ended the conversation, in one direction or in both.
        switch mode {
        case .input: context.close(mode: mode, promise: promise)
        case .output, .all:
            if hasSaidGoodbye { return context.close(mode: .all, promise: promise) }
            sayGoodbye(context, .goingAway, "")
            promise?.succeed(())
        }
    }

    private func sendText(_ context: ChannelHandlerContext, _ text: ByteBuffer, isLast: Bool) {
        let frame = WebSocketFrame(fin: isLast, opcode: isContinuing ? .continuation : .text, data: text)
        isContinuing = !isLast
        context.write(wrapOutboundOut(frame), promise: nil)
    }

    private func send(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        guard !hasSaidGoodbye else { return }
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
    }

    /// Says goodbye, once, and closes when it is on its way.
    private func sayGoodbye(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode?, _ reason: String) {
        guard !hasSaidGoodbye else { return }
        var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        if let code {
            data.write(webSocketErrorCode: code)
            data.writeString(reason)
        }
        send(context, .connectionClose, data)
        hasSaidGoodbye = true
        context.flush()
        // What we wrote must arrive before the connection breaks: the writing half is closed first, and the rest when the
        // client has closed too, or takes too long for it.
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.closeTimeout) { bound.value.close(promise: nil) }
    }
}

extension ByteBuffer {
    /// Makes JSON of several lines one line, and ends it: outside of strings a line end means nothing, and within them
    /// there is none.
    mutating func makeOneLine() {
        withUnsafeMutableReadableBytes { raw in
            for index in raw.indices where raw[index] == UInt8(ascii: "\n") || raw[index] == UInt8(ascii: "\r") {
                raw[index] = UInt8(ascii: " ")
            }
        }
        writeInteger(UInt8(ascii: "\n"))
    }
}
