import PMModel

/// All that makes a session what it is, besides its calls and the bytes on their way.
///
/// A session has exactly this, and `pm upgrade` hands over exactly this: a field that is added here is kept over an upgrade,
/// or does not compile.
struct SessionState: Equatable {
    /// The incarnation at the other end; nil for a client.
    var service: IncarnationID?
    /// How its messages stand in the bytes.
    var form: MessageForm
    /// How far its requests reach.
    var reach: PeerReach
    /// Whether it is a client on the network, which sees no more of an error than a stranger may.
    var isOfNetwork: Bool
    /// Whether it wants to know when commands change.
    var watchesMetadata: Bool
    /// Whether it understands the signals about calls under way.
    var takesSignals: Bool
    /// Whether it sends no more.
    var hasFinished: Bool
    /// The incarnation that everything of this client is for; nil when it talks to the daemon.
    var target: IncarnationID?
}

extension SessionState: RecordValue {
    private static var form:
        RecordForm<Self, IncarnationID?, MessageForm, PeerReach, Bool, Bool, Bool, Bool, IncarnationID?>
    {
        RecordForm(
            Self.init, \.service, \.form, \.reach, \.isOfNetwork, \.watchesMetadata, \.takesSignals, \.hasFinished,
            \.target)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

/// What is on its way in a connection when it is handed over, and how far its stream of messages is.
public struct ConnectionState: Equatable, Sendable {
    /// Bytes that came and were not handled.
    var unread: RecordBytes
    /// Bytes that are to go out.
    var unsent: RecordBytes
    /// Whether the rest of a line that was too long is still to be thrown away.
    var isDiscarding: Bool
    /// Whether no line has come yet.
    var isFirstLine: Bool
    /// Bytes that came for nobody since its peer was last made to wait for that.
    var waste: UInt64

    /// A connection on which nothing has happened.
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
