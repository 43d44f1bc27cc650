import PMModel

/// The state of a session, besides its calls and the bytes on their way.
///
/// A session has exactly this state, and `pm upgrade` hands over exactly this: a new field is kept over an upgrade, or
/// does not compile.
struct SessionState: Equatable {
    /// The incarnation at the other end; nil for a client.
    var service: IncarnationID?
    /// Form of its messages in the bytes.
    var form: MessageForm
    /// Rights of its requests.
    var reach: PeerReach
    /// True for a client on the network, which sees no more of an error than a stranger may.
    var isOfNetwork: Bool
    /// True when it wants a notification when commands change.
    var watchesMetadata: Bool
    /// True when it understands the signals about calls under way.
    var takesSignals: Bool
    /// True when it sends no more.
    var hasFinished: Bool
    /// The incarnation that gets all messages of this client; nil when the client talks to the daemon.
    var target: IncarnationID?
    /// The name under which the commands of this client are published: a container that somebody runs by itself.
    var published: IncarnationID?
}

extension SessionState {
    /// Gives a service another name.
    mutating func rename(_ rename: ServiceRename) {
        service = service.map { IncarnationID(unit: rename.name(of: $0.unit), number: $0.number) }
        target = target.map { IncarnationID(unit: rename.name(of: $0.unit), number: $0.number) }
    }
}

extension SessionState: RecordValue {
    private static var form:
        RecordForm<
            Self, IncarnationID?, MessageForm, PeerReach, Bool, Bool, Bool, Bool, IncarnationID?, IncarnationID?
        >
    {
        RecordForm(
            Self.init, \.service, \.form, \.reach, \.isOfNetwork, \.watchesMetadata, \.takesSignals, \.hasFinished,
            \.target, \.published)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

/// The unfinished part of a connection that is handed over, and the state of its message stream.
public struct ConnectionState: Equatable, Sendable {
    /// Bytes that came and were not handled.
    var unread: RecordBytes
    /// Bytes that are to go out.
    var unsent: RecordBytes
    /// True when the rest of a line that was too long is still to be skipped.
    var isDiscarding: Bool
    /// True when no line has come yet.
    var isFirstLine: Bool
    /// Useless bytes since the last pause of the peer for them.
    var waste: UInt64

    /// A connection that was not used yet.
    public static var new: ConnectionState {
        ConnectionState(
            unread: RecordBytes([]), unsent: RecordBytes([]), isDiscarding: false, isFirstLine: true, waste: 0)
    }
}

extension ConnectionState: RecordValue {
    private static var form: RecordForm<Self, RecordBytes, RecordBytes, Bool, Bool, UInt64> {
        RecordForm(Self.init, \.unread, \.unsent, \.isDiscarding, \.isFirstLine, \.waste)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}
