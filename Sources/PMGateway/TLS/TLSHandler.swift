import NIOCore
import PMAPI

/// The handshake is done: nothing was told to those behind before.
struct TLSEstablished {
    /// The certificate that the client showed, if it was found good.
    let certificate: ClientSession.ClientCertificate?
}

/// Puts TLS between the socket and those behind, who see plain bytes. Each keeps the other's pace: what is read is
/// passed on at once, and what is written goes out at once.
final class TLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case handshaking
        case open
        /// The handshake failed or the connection was closed; nothing passes any more.
        case over
    }

    private let session: TLSSession
    private var state = State.handshaking
    private var isInputOver = false
    private var isOutputOver = false
    /// Room for what is read of one record.
    private static let piece = 16 << 10

    init(_ session: TLSSession) {
        self.session = session
    }

    // MARK: from the peer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .over else { return }
        let bytes = unwrapInboundIn(data)
        do throws(TLSError) {
            try bytes.withUnsafeReadableBytes { (raw: UnsafeRawBufferPointer) throws(TLSError) in try session.give(raw)
            }
            try advance(context)
        } catch {
            fail(context, error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flushOut(context)
        context.fireChannelReadComplete()
    }

    private func advance(_ context: ChannelHandlerContext) throws(TLSError) {
        if state == .handshaking {
            guard try session.handshake() else { return flushOut(context) }
            state = .open
            flushOut(context)
            context.fireUserInboundEventTriggered(TLSEstablished(certificate: session.certificate))
        }
        while state == .open {
            var buffer = context.channel.allocator.buffer(capacity: Self.piece)
            var reading = TLSSession.Reading.nothing
            _ = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.piece) {
                (space: UnsafeMutableRawBufferPointer) throws(TLSError) -> Int in
                reading = try session.read(space)
                if case .bytes(let count) = reading { return count }
                return 0
            }
            switch reading {
            case .bytes: context.fireChannelRead(wrapInboundOut(buffer))
            case .nothing: return
            case .end: return endInput(context)
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch state {
        // An end before the handshake is no half of a conversation.
        case .handshaking: context.close(promise: nil)
        case .open: endInput(context)
        case .over: break
        }
    }

    private func endInput(_ context: ChannelHandlerContext) {
        guard !isInputOver else { return }
        isInputOver = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        let wasHandshake = state == .handshaking
        state = .over
        // The alert that says why.
        flushOut(context)
        context.fireErrorCaught(TLSFailure(reason: error.description, wasHandshake: wasHandshake))
        context.close(promise: nil)
    }

    // MARK: to the peer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .open, !isOutputOver else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        let bytes = unwrapOutboundIn(data)
        do throws(TLSError) {
            try bytes.withUnsafeReadableBytes { (raw: UnsafeRawBufferPointer) throws(TLSError) in try session.write(raw)
            }
            write(context, promise)
        } catch {
            promise?.fail(error)
            fail(context, error)
        }
    }

    func flush(context: ChannelHandlerContext) {
        write(context, nil)
        context.flush()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output, .all:
            if state == .open, !isOutputOver {
                isOutputOver = true
                session.close()
                flushOut(context)
            }
            if mode == .all { state = .over }
        case .input: break
        }
        context.close(mode: mode, promise: promise)
    }

    private func flushOut(_ context: ChannelHandlerContext) {
        guard session.pending > 0 else { return }
        write(context, nil)
        context.flush()
    }

    private func write(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let pending = session.pending
        guard pending > 0 else {
            promise?.succeed(())
            return
        }
        var buffer = context.channel.allocator.buffer(capacity: pending)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pending) { session.readOutgoing($0) }
        context.write(wrapOutboundOut(buffer), promise: promise)
    }
}

/// A connection that TLS gave up.
struct TLSFailure: Error, CustomStringConvertible {
    let reason: String
    let wasHandshake: Bool

    var description: String { wasHandshake ? "the TLS handshake failed: \(reason)" : "TLS failed: \(reason)" }
}
