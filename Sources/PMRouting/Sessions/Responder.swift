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

    /// The peer that called.
    public let session: Session
    let id: RPCID?
    private var phase = Phase.open
    private var isCancelled = false
    private var onCancel: (@PMActor () -> Void)?

    init(_ session: Session, _ id: RPCID?) {
        self.session = session
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

    /// Answers with a value that is written already: bytes of JSON.
    public func succeed(written value: [UInt8]) {
        finish { id, output in value.withUnsafeBytes { MessageWriter.reply(id: id, result: $0, to: &output) } }
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
        phase = .done
        onCancel = nil
        guard let id else { return }
        session.connection.send { write(id, &$0) }
        session.answered(self)
    }

    // MARK: cancelling

    /// Calls `body` once when the caller has cancelled the call, or has left; at once if that is so already. The work
    /// for the caller has to end then, and an open stream too.
    public func whenCancelled(_ body: @escaping @PMActor () -> Void) {
        guard phase != .done else { return }
        if isCancelled { body() } else { onCancel = body }
    }

    /// Notes that the caller has cancelled the call. A request is answered at once; a stream is ended by its sender.
    func cancel() {
        guard phase != .done else { return }
        isCancelled = true
        let body = onCancel.take()
        body?()
        if phase == .open { fail(Refusals.cancelled) }
    }

    // MARK: streams

    /// True when the caller can still be reached.
    public var isOpen: Bool { phase != .done && !session.connection.isClosed }

    /// True when the caller wants an answer at all.
    public var isWanted: Bool { id != nil }

    /// Opens a stream as the answer; false when the caller wants none.
    public func beginStream() -> Bool {
        guard let id, phase == .open else { return false }
        phase = .streaming
        session.connection.send { MessageWriter.streamStart(id: id, to: &$0) }
        return true
    }

    /// Sends one piece of an open stream.
    public func stream(_ frame: StreamFrame) {
        guard let id, phase == .streaming else { return }
        if frame == .end {
            finish { id, output in MessageWriter.streamFrame(id: id, .end, to: &output) }
        } else {
            session.connection.send { MessageWriter.streamFrame(id: id, frame, to: &$0) }
        }
    }

    /// Calls `body` when the caller has taken all that was sent.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        session.connection.whenDrained(body)
    }

    /// Bytes that wait for the caller.
    public var backlog: Int { session.connection.backlog }
}
