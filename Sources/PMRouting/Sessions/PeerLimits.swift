/// Limits of one peer in the daemon; Docs/Reliability.md lists what happens at each bound.
public enum PeerLimits {
    /// Reads a turn, so that one peer does not starve the others.
    static let readsATurn = 4
    /// Time for all peers together in a turn; further messages are handled in a later one.
    static let timeATurn = Duration.microseconds(100)
    /// Limit of useless input of a peer, bytes a second: lines that are no message, and answers to no call, cost time
    /// to look at.
    static let wasteASecond = 5 << 20
    /// So much of it costs nothing yet.
    static let freeWaste = 16 << 10
    /// The longest that a peer is not read from because of it.
    static let longestPenalty = Duration.seconds(1)
    /// Messages of one batch.
    static let batch = 100
    /// A client with so many requests that the daemon itself answers is not read from until half of them are answered.
    static let questionsOfClient = 64
    /// A service with so many is refused more: it is read from always, for it may be what others wait for.
    static let questionsOfService = 256
    /// A client with so many requests that are not answered, by services for example, is not read from either; a service
    /// is refused more.
    static let callsUnderWay = 4096
    /// Up to so many bytes may wait for a peer before it is looked at what all peers together hold.
    static let unchecked = 64 << 10
    /// Above so many bytes that wait for a client, nothing more is read from it.
    static let pacing = 1 << 20
    /// Above so many bytes that wait for a service, calls to it are refused.
    static let callBacklog = 32 << 20
    /// Above so many bytes that wait for a peer, it is given up.
    static let backlog = 128 << 20
    /// Connections of one user.
    public static let connectionsOfUser = 4096
    /// Memory of all peers together: one message of the longest kind and its relayed copy fit twice.
    static let memory = 256 << 20
    /// Memory of a connection that is not counted: an unfinished line of usual length.
    static let freeMemory = 128 << 10
    /// Memory of all peers with limited rights together (containers, clients on the network), so that they keep no
    /// other peer out.
    static let memoryOfLimited = 128 << 20
    /// Calls to a service whose callers have left, before it gets no more: it does not answer.
    static let callsLeft = 16 << 10
    /// Calls of one peer that are kept to be made again elsewhere; one of the longest kind fits.
    static let keptOfPeer = 80 << 20
    /// The same of all peers.
    static let keptOfAll = 160 << 20
    /// Parameters of a request that the daemon itself answers, and what a service says of itself, as text.
    public static let parameters = 1 << 20
    /// Memory of all services' metadata: up to thirty times the text.
    public static let metadata = 64 << 20
}
