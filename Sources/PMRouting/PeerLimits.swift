public import PMSystem

/// How much one peer may make the daemon do and hold; Docs/Reliability.md lists what happens at each bound.
public enum PeerLimits {
    /// Reads a turn, so that one peer does not starve the others.
    static let readsATurn = 4
    /// Messages that are handled a turn; the others wait for the next one.
    static let messagesATurn = 64
    /// Messages of one batch.
    static let batch = 100
    /// A client with so many requests that the daemon itself answers is not read from until half of them are answered.
    static let questionsOfClient = 64
    /// A service with so many is refused more: it is read from always, for it may be what others wait for.
    static let questionsOfService = 256
    /// Requests of one peer that services have not answered.
    static let callsUnderWay = 4096
    /// Above so many bytes that wait for a client, nothing more is read from it.
    static let pacing = 1 << 20
    /// Above so many bytes that wait for a service, calls to it are refused.
    static let callBacklog = 32 << 20
    /// Above so many bytes that wait for a peer, it is given up.
    static let backlog = 128 << 20
    /// Connections of one user.
    public static let connectionsOfUser = 4096
}

/// What all peers together make the daemon hold: lines that are not finished, and bytes that are not taken.
///
/// Only those that hold much are counted; the number of connections bounds the others.
@PMActor
public final class PeerMemory {
    /// The most that they hold, bytes; one message of the longest kind and its relayed copy fit twice.
    public static let limit = 256 << 20
    /// What a connection holds without being counted.
    static let free = 1 << 20
    /// Why a connection is ended.
    static let refusal = "all connections together wait with more than \(limit >> 20) MB"

    private var large: [ObjectIdentifier: Connection] = [:]

    /// Counts nothing yet.
    public init() {}

    /// Whether a connection may hold what it holds now.
    func admits(_ connection: Connection) -> Bool {
        guard connection.held > Self.free else { return true }
        large[ObjectIdentifier(connection)] = connection
        var total = 0
        for (key, other) in large {
            let held = other.held
            if held > Self.free { total += held } else { large[key] = nil }
        }
        return total <= Self.limit
    }

    /// Forgets a connection that is gone.
    func release(_ connection: Connection) {
        large[ObjectIdentifier(connection)] = nil
    }
}
