import Glibc
import JSON
import JSONRPC
import NIOCore
import NIOPosix
import PMAPI
import PMModel

/// The channel to the daemon that started the gateway: tells it when all is served, and what is not.
final class DaemonChannel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var lines = LineBuffer()
    private var context: ChannelHandlerContext?
    private var problems: [String]?
    private var nextID = 1
    /// Called when the channel has ended: the parent of the gateway is gone.
    private let onEnd: () -> Void

    init(onEnd: @escaping () -> Void) {
        self.onEnd = onEnd
    }

    /// The descriptor of the channel; nil when a person or a service manager started the gateway.
    static var descriptor: CInt? {
        getenv(HostVariable.channelDescriptor.rawValue).flatMap { CInt(String(cString: $0)) }
    }

    /// Tells what cannot be served, in words; the first time it also says that the gateway is ready.
    func tell(_ problems: [String]) {
        guard problems != self.problems else { return }
        self.problems = problems
        sendReady()
    }

    private var metadata: ServiceMetadata {
        var metadata = ServiceMetadata(name: "pm-gateway", commands: [])
        metadata.problems = problems ?? []
        return metadata
    }

    private func sendReady() {
        guard let context, problems != nil else { return }
        var line: [UInt8] = []
        MessageWriter.request(
            id: UInt64(nextID), method: Ready.method.rawValue, params: Ready(metadata: metadata).params, to: &line)
        nextID += 1
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: line)), promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        sendReady()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lines.append(unwrapInboundIn(data))
        while let line = lines.next() { answer(line, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        onEnd()
    }

    private func answer(_ line: ByteBuffer, _ context: ChannelHandlerContext) {
        var reply: [UInt8] = []
        line.withUnsafeReadableBytes { raw in
            // The daemon's answers to `ready`, and what would be no message, need none.
            guard case .request(let request)? = try? Message.scan(raw), let id = request.ownedID else { return }
            if request.method.string == Metadata.method.rawValue {
                MessageWriter.reply(id: id, result: metadata.json, to: &reply)
            } else {
                MessageWriter.failure(id: id, .methodNotFound(request.method.string), to: &reply)
            }
        }
        if !reply.isEmpty { context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)), promise: nil) }
    }
}
