public import JSON
public import JSONRPC
public import PMSystem

/// One request that is being answered; it is answered exactly once, or streamed and then ended once.
@PMActor
public final class Responder {
    private enum Phase {
        case open
        case streaming
        case done
    }

    /// Who asked.
    public let peer: Peer
    private let id: RPCID?
    private var phase = Phase.open

    init(_ peer: Peer, _ id: RPCID?) {
        self.peer = peer
        self.id = id
    }

    isolated deinit {
        // Whatever went wrong: nobody is left waiting.
        if phase == .open { fail(.internalError("the request was dropped")) }
    }

    /// Answers with a value; null is void.
    public func succeed(_ value: JSONValue) {
        finish { id, output in MessageWriter.reply(id: id, result: value, to: &output) }
    }

    /// Answers with an error.
    public func fail(_ error: RPCError) {
        finish { id, output in MessageWriter.failure(id: id, error, to: &output) }
    }

    /// Answers that nothing answers to the method.
    public func reject(_ error: RPCError) {
        finish { id, output in MessageWriter.rejection(id: id, error, to: &output) }
    }

    private func finish(_ write: (RPCID, inout [UInt8]) -> Void) {
        guard phase != .done else { return }
        let wasStreaming = phase == .streaming
        phase = .done
        guard let id else { return }
        if wasStreaming { peer.cancels[id] = nil }
        peer.send { write(id, &$0) }
        peer.answered()
    }

    // MARK: streams

    /// Whether the caller can still be reached.
    public var isOpen: Bool { phase != .done && !peer.connection.isClosed }

    /// Whether an answer is wanted at all.
    public var isWanted: Bool { id != nil }

    /// Calls `body` when the caller wants no more of the open stream, which is to be ended then.
    public func whenCancelled(_ body: @escaping @PMActor () -> Void) {
        guard let id, phase == .streaming else { return }
        peer.cancels[id] = body
    }

    /// Opens a stream as the answer; false when the caller wants none.
    public func beginStream() -> Bool {
        guard let id, phase == .open else { return false }
        phase = .streaming
        peer.send { MessageWriter.streamStart(id: id, to: &$0) }
        return true
    }

    /// Sends one piece of an open stream.
    public func stream(_ frame: StreamFrame) {
        guard let id, phase == .streaming else { return }
        if frame == .end {
            finish { id, output in MessageWriter.streamFrame(id: id, .end, to: &output) }
        } else {
            peer.send { MessageWriter.streamFrame(id: id, frame, to: &$0) }
        }
    }

    /// Calls `body` when the caller has taken all that was sent.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        peer.connection.whenDrained(body)
    }

    /// Bytes that wait for the caller.
    public var backlog: Int { peer.connection.backlog }
}
