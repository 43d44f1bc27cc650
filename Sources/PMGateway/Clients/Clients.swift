import Glibc
import NIOCore

/// The clients of all places, counted.
final class Clients {
    private var counts: ConnectionLimits
    private let limits: GatewayLimits
    private let chance: () -> Double
    private let memory: MemoryBudget

    /// - Parameter chance: gives a number from 0 up to, not including, 1.
    init(_ limits: GatewayLimits, chance: @escaping () -> Double = { .random(in: 0..<1) }) {
        self.limits = limits
        self.chance = chance
        memory = MemoryBudget(limits)
        counts = ConnectionLimits(limits)
    }

    /// One more client, who has not said anything yet; else why it is turned away.
    func admit(_ source: ClientSource) -> Result<Client, RejectedClient> {
        if let refusal = counts.admit(source, chance: chance()) { return .failure(RejectedClient(refusal, limits)) }
        return .success(Client(source, self, MemoryAccount(memory, source)))
    }

    fileprivate func spoke() { counts.firstByte() }

    fileprivate func beginHandshake(_ source: ClientSource) -> RejectedClient? {
        counts.beginHandshake(source).map { RejectedClient($0, limits) }
    }

    fileprivate func endHandshake(_ source: ClientSource) { counts.endHandshake(source) }

    fileprivate func leave(_ source: ClientSource, isSilent: Bool) { counts.leave(source, isSilent: isSilent) }
}

/// One client, from its connection to its end: what it is counted for.
final class Client {
    private enum State {
        case silent
        case handshaking
        case served
        case gone
    }

    /// Memory that it uses in the gateway.
    let memory: MemoryAccount
    private let source: ClientSource
    private let all: Clients
    private var state = State.silent

    fileprivate init(_ source: ClientSource, _ all: Clients, _ memory: MemoryAccount) {
        self.source = source
        self.all = all
        self.memory = memory
    }

    /// Notes its first byte: it counts as silent no longer.
    func spoke() {
        guard case .silent = state else { return }
        state = .served
        all.spoke()
    }

    /// Asks for a handshake; returns the reason when it must not begin one.
    func beginHandshake() -> RejectedClient? {
        guard case .served = state else { return nil }
        if let refusal = all.beginHandshake(source) { return refusal }
        state = .handshaking
        return nil
    }

    /// Notes the end of its handshake.
    func endHandshake() {
        guard case .handshaking = state else { return }
        state = .served
        all.endHandshake(source)
    }

    /// Notes the end of its connection.
    func leave() {
        memory.close()
        endHandshake()
        switch state {
        case .silent: all.leave(source, isSilent: true)
        case .served: all.leave(source, isSilent: false)
        case .handshaking, .gone: return
        }
        state = .gone
    }
}

/// There is no room for a client.
struct RejectedClient: Error {
    let refusal: ConnectionLimits.Refusal
    /// Why, for the log.
    let reason: String

    init(_ refusal: ConnectionLimits.Refusal, _ limits: GatewayLimits) {
        self.refusal = refusal
        reason =
            switch refusal {
            case .connections: "the gateway has \(limits.connections) connections, its limit"
            case .connectionsOfSource: "its address has \(limits.connectionsOfSource) connections, the limit"
            case .silentClients: "too many clients have not sent a message yet"
            case .handshakes: "too many handshakes at once"
            case .handshakesOfSource: "too many handshakes at once from its address"
            }
    }
}

extension ClientSource {
    /// Reads the peer's address of a connection.
    init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self = .ipv4(address.address.sin_addr.s_addr)
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            // An address of IPv4 within IPv6 (RFC 4291, 2.5.5.2).
            if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
                self = .ipv4(bytes[12...].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) })
            } else {
                self = .ipv6Network(bytes[..<8].withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
            }
        case .unixDomainSocket, nil: self = .local
        }
    }
}

/// The first handler of each connection: nothing is made for a client, no session of TLS and no handler, before its first
/// byte, and who says nothing for a while is gone.
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let client: Client
    private let deadline: TimeAmount
    private var timer: Scheduled<Void>?
    private let onFirstByte: (any Channel) throws -> Void

    /// - Parameter onFirstByte: adds the handlers that serve the client; when it throws, the connection is closed.
    init(_ client: Client, deadline: TimeAmount, onFirstByte: @escaping (any Channel) throws -> Void) {
        self.client = client
        self.deadline = deadline
        self.onFirstByte = onFirstByte
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: deadline) { bound.value.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        timer?.cancel()
        client.spoke()
        do {
            try onFirstByte(context.channel)
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            // The client is gone already: its channel takes no handlers any more.
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // It ends without having said anything.
        if let ended = event as? ChannelEvent, ended == .inputClosed { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
