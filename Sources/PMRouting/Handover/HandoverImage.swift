/// One session in the handover to a successor of the daemon.
struct SessionRecord: RecordValue, Equatable {
    /// Name of the session in the calls of the image.
    var id: SessionID
    var state: SessionState
    var calls: CallTable.SideState
    var connection: ConnectionState

    private static var form: RecordForm<Self, SessionID, SessionState, CallTable.SideState, ConnectionState> {
        RecordForm(Self.init, \.id, \.state, \.calls, \.connection)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

/// One end of a relay between two connections, in the handover to a successor.
struct RelayEndRecord: RecordValue, Equatable {
    var unread: RecordBytes
    var unsent: RecordBytes
    var hasFinished: Bool

    private static var form: RecordForm<Self, RecordBytes, RecordBytes, Bool> {
        RecordForm(Self.init, \.unread, \.unsent, \.hasFinished)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

/// The state of all connections for the successor of a daemon, without their sockets.
///
/// The sockets follow the image: those of the clients in the order of their sessions, then two of each relay. Sockets
/// of services are with pm-init.
struct HandoverImage: RecordValue, Equatable {
    /// The last number of a call.
    var newestCall: UInt64
    var sessions: [SessionRecord]
    var calls: [CallRecord]
    /// The ends of relays, each beside its other end.
    var relayEnds: [RelayEndRecord]

    private static var form: RecordForm<Self, UInt64, [SessionRecord], [CallRecord], [RelayEndRecord]> {
        RecordForm(Self.init, \.newestCall, \.sessions, \.calls, \.relayEnds)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

extension HandoverImage {
    /// Version of the form: a daemon of another version finds another number at the start of the bytes.
    private static let version: UInt64 = 7

    /// The binary form.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        Self.version.put(&bytes)
        put(&bytes)
        return bytes
    }

    /// Reads the binary form; nil for any other bytes.
    init?(decoding bytes: [UInt8]) {
        var rest = bytes[...]
        do throws(RecordProblem) {
            guard try UInt64.read(&rest) == Self.version else { return nil }
            self = try HandoverImage.read(&rest)
        } catch {
            return nil  // of another version, or not whole
        }
        guard rest.isEmpty else { return nil }
    }
}
