public import JSONRPC
public import PMAPI

extension DaemonClient {
    /// The next event of a stream.
    public enum StreamTurn: Equatable, Sendable {
        /// A piece.
        case data(StreamFrame)
        /// Nothing more will come.
        case end
        /// The descriptor given as `interrupt` became readable.
        case interrupted
        /// Nothing came in the time given.
        case idle
    }

    /// Opens a stream of log records or text.
    public func open(_ log: Log) throws(ClientError) -> Ticket { try send(log) }

    /// Opens a stream of events.
    public func open(_ events: ReadEvents) throws(ClientError) -> Ticket { try send(events) }

    /// Waits for the next piece of a stream, at most so long, or until `interrupt` is readable.
    public func nextPiece(
        of ticket: Ticket, within limit: Duration? = nil, interrupt: Int32? = nil
    ) throws(ClientError) -> StreamTurn {
        let deadline = Deadline(limit)
        while true {
            var wasInterrupted = false
            let reply = try reply(to: ticket, deadline, interrupt: interrupt, wasInterrupted: &wasInterrupted)
            switch reply {
            case nil: return wasInterrupted ? .interrupted : .idle
            case .opened: continue
            case .void: return .end
            case .failed(let error): throw .refused(error)
            case .value(let bytes):
                guard let frame = bytes.withUnsafeBytes({ StreamFrame(result: $0) }) else {
                    throw .garbled("\(ticket.method) was answered, but not with a stream")
                }
                return frame == .end ? .end : .data(frame)
            }
        }
    }
}
