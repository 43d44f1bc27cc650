public import JSONRPC
public import PMSystem

/// What happens on a connection.
@PMActor
public protocol ConnectionDelegate: AnyObject {
    /// A request, a notification or a reply; what it points to is good until this returns.
    func receive(_ message: Incoming)
    /// A line that is no message.
    func receive(_ rejected: RejectedMessage)
    /// The peer sends no more; it may still read.
    func peerFinished()
    /// The connection is gone.
    func closed()
}

/// What is on its way in a connection when it is handed over.
struct ConnectionRemainder: Equatable {
    /// Bytes that came and were not handled.
    var unread: [UInt8] = []
    /// Bytes that are to go out.
    var unsent: [UInt8] = []
}

/// One stream socket that carries newline-delimited JSON-RPC.
///
/// A client that does not read what it is sent is not read from either, so what waits for it stays bounded by what it
/// had asked for before. A service is always read from: it may itself wait until its answers are taken.
@PMActor
public final class Connection {
    /// Above so many bytes that wait for the peer, nothing more is read from it.
    static let softLimit = 1 << 20
    /// Above so many bytes that wait for the peer, it is given up.
    static let hardLimit = 128 << 20
    /// At most so many reads a turn, so that one peer does not starve the others.
    private static let readsPerTurn = 4

    private let stream: ByteStream
    private let isPaced: Bool
    private var framer = LineFramer()
    private weak var delegate: (any ConnectionDelegate)?
    private var hasEnded = false
    private var pauses = 0

    /// Takes over a connected socket; a paced one is not read from while it does not read.
    ///
    /// - Throws: `SystemError` when it cannot be made non-blocking.
    public init(_ descriptor: SharedFD, isPaced: Bool, reactor: Reactor) throws(SystemError) {
        self.isPaced = isPaced
        stream = try ByteStream(descriptor, reactor: reactor)
    }

    /// Delivers messages from now on; the delegate is not kept alive.
    ///
    /// - Throws: `SystemError` when the socket cannot be watched.
    public func start(_ delegate: any ConnectionDelegate) throws(SystemError) {
        self.delegate = delegate
        stream.onClose = { [weak self] in self?.delegate?.closed() }
        try stream.start { [weak self] in self?.readable() }
    }

    /// Bytes that wait for the peer.
    public var backlog: Int { stream.backlog }

    /// Whether the connection is gone.
    public var isClosed: Bool { stream.isClosed }

    /// Appends whole messages; they go out at the end of the turn.
    public func send(_ fill: (inout [UInt8]) -> Void) {
        stream.write(fill)
        if stream.backlog > Self.hardLimit { return close() }
        if isPaced && pauses == 0 && stream.backlog > Self.softLimit { pauseUntilDrained(stream) }
    }

    /// Reads nothing from this peer until another has taken what waits for it.
    public func pause(until other: Connection) {
        pauseUntilDrained(other.stream)
    }

    /// Calls `body` once when nothing waits for the peer any more.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        stream.whenDrained(body)
    }

    /// Closes at once.
    public func close() {
        stream.close()
    }

    /// Sends what waits, then closes.
    public func closeAfterFlush() {
        stream.closeAfterFlush()
    }

    /// Reads nothing from this peer until `resume`, which is to be called as often.
    func pause() {
        pauses += 1
        if pauses == 1 { stream.setReading(paused: true) }
    }

    /// Leaves the socket to a successor, which goes on with what `resume(after:)` gets.
    func handOver() -> (descriptor: SharedFD, remainder: ConnectionRemainder) {
        let remainder = ConnectionRemainder(unread: framer.takeUnread(), unsent: stream.unsent)
        stream.detach()
        return (stream.descriptor, remainder)
    }

    /// Goes on where a predecessor stopped.
    func resume(after remainder: ConnectionRemainder) {
        if !remainder.unsent.isEmpty { stream.write { $0 += remainder.unsent } }
        guard !remainder.unread.isEmpty else { return }
        framer.withFreeSpace(minimum: remainder.unread.count) { space in
            space.copyBytes(from: remainder.unread)
            return remainder.unread.count
        }
        deliver()
    }

    private func pauseUntilDrained(_ other: ByteStream) {
        pause()
        other.whenDrained { [weak self] in self?.resume() }
    }

    /// Ends one pause.
    func resume() {
        pauses -= 1
        guard pauses == 0, !stream.isClosed else { return }
        stream.setReading(paused: false)
        // Lines that were cut already do not make the socket readable again.
        if framer.unread > 0 { deliver() }
    }

    private func readable() {
        for _ in 0..<Self.readsPerTurn {
            guard !hasEnded, pauses == 0, !stream.isClosed else { return }
            var chunk = ByteStream.Chunk.nothing
            var isFull = false
            framer.withFreeSpace { space in
                chunk = stream.read(into: space)
                guard case .bytes(let count) = chunk else { return 0 }
                isFull = count == space.count
                return count
            }
            switch chunk {
            case .bytes: deliver()
            case .nothing: return
            case .end: return end()
            }
            if !isFull { return }
        }
    }

    private func deliver() {
        while pauses == 0, !stream.isClosed {
            do throws(LineTooLong) {
                guard let line = try framer.nextLine() else { return }
                deliver(line)
            } catch {
                let refusal = RPCError.invalidRequest(error.description)
                send { MessageWriter.rejection(id: nil, refusal, to: &$0) }
            }
        }
    }

    private func deliver(_ line: UnsafeRawBufferPointer) {
        do throws(RejectedMessage) {
            delegate?.receive(try Incoming.scan(line))
        } catch {
            delegate?.receive(error)
        }
    }

    private func end() {
        hasEnded = true
        stream.endReading()
        if let rest = framer.takeRemainder() { deliver(rest) }
        delegate?.peerFinished()
    }
}
