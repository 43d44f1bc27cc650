public import JSONRPC
public import PMSystem

/// Events of a connection.
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
    /// True when the connection is closed.
    var isClosed: Bool { get }
    /// True when its peer has limited rights: such peers share a part of the budget.
    var isLimited: Bool { get set }
    /// Delivers messages from now on; the connection keeps its delegate until it is closed or handed over.
    ///
    /// - Throws: `SystemError` when that is not possible.
    func start(_ delegate: any ConnectionDelegate) throws(SystemError)
    /// Appends whole messages; they go out at the end of the turn.
    func send(_ fill: (inout [UInt8]) -> Void)
    /// Stops reading from the peer, until `resume` is called as often.
    func pause()
    /// Ends one pause; reading goes on when no other pause is left.
    func resume()
    /// Calls `body` once when the peer has read all bytes, or the connection is closed.
    func whenDrained(_ body: @escaping @PMActor () -> Void)
    /// Notes useless bytes of the peer; after many the peer is not read for a while.
    func cameInVain(_ count: Int)
    /// Closes at once: buffered bytes are lost, and the socket is closed even if other objects still refer to the link.
    func close()
    /// Closes after all waiting bytes are sent.
    func closeAfterFlush()
    /// Leaves the connection to a successor or to a relay, with the bytes on their way; the socket, if it is one.
    func handOver() -> (socket: SharedFD?, state: ConnectionState)
    /// Goes on where a predecessor stopped.
    func resume(after state: ConnectionState)
}
