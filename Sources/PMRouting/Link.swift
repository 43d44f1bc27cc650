public import JSONRPC
public import PMSystem

/// What happens on a connection.
@PMActor
public protocol ConnectionDelegate: AnyObject {
    /// A request or a notification; what it points to is good until this returns.
    func receive(_ request: RPCRequest)
    /// A reply; what it points to is good until this returns.
    func receive(_ reply: RPCReply)
    /// A line that is no message.
    func receive(_ rejected: MalformedMessage)
    /// The peer sends no more; it may still read.
    func peerFinished()
    /// The connection is about to end, because the peer makes the daemon hold too much.
    func givenUp(_ reason: String)
    /// The connection is gone.
    func closed()
}

/// The way to a peer: a socket, or anything else that carries messages.
@PMActor
public protocol Link: AnyObject {
    /// Bytes that wait for the peer.
    var backlog: Int { get }
    /// Whether the connection is gone.
    var isClosed: Bool { get }
    /// Whether its peer may not do everything: those share a part of the budget.
    var isLimited: Bool { get set }
    /// Delivers messages from now on; the connection keeps its delegate until it is closed or handed over.
    ///
    /// - Throws: `SystemError` when that is not possible.
    func start(_ delegate: any ConnectionDelegate) throws(SystemError)
    /// Appends whole messages; they go out at the end of the turn.
    func send(_ fill: (inout [UInt8]) -> Void)
    /// Reads nothing from the peer until as many `resume`.
    func pause()
    /// Ends one pause.
    func resume()
    /// Calls `body` once when nothing waits for the peer any more, or the connection is gone.
    func whenDrained(_ body: @escaping @PMActor () -> Void)
    /// Notes bytes that nobody wanted; after many the peer is not read from for a while.
    func cameInVain(_ count: Int)
    /// Closes at once, and gives the socket back whoever still knows of this.
    func close()
    /// Closes when everything that waits has gone out.
    func closeAfterFlush()
    /// Leaves the connection to a successor or to a relay, with what is on its way; the socket, if it is one.
    func handOver() -> (socket: SharedFD?, state: ConnectionState)
    /// Goes on where a predecessor stopped.
    func resume(after state: ConnectionState)
}
