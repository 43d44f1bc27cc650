import JSONRPC
import PMModel
import Testing

@testable import PMRouting

/// What a daemon leaves to its successor of its connections.
@Suite struct HandoverImageTests {
    /// A session whose every field differs from the default.
    private static let session = SessionRecord(
        id: SessionID(slot: 3, generation: .max),
        state: SessionState(
            service: IncarnationID(unit: "web#2", number: 7), form: .nodeIPC,
            reach: AllowList(["shop", "db.get"]).map { .allowed($0) } ?? .proof, isOfNetwork: true,
            watchesMetadata: true, takesSignals: true, hasFinished: true,
            target: IncarnationID(unit: "größe", number: .max), published: .byItself("tool")),
        calls: .init(left: [7: true, .max: false], uploads: [RPCID("a"): 7, RPCID(1): 8]),
        connection: ConnectionState(
            unread: RecordBytes([1, 2, 3]), unsent: RecordBytes([0, 255]), isDiscarding: true, isFirstLine: false,
            waste: 77))
    private static let call = CallRecord(
        number: 1 << 40,
        state: CallTable.State(
            caller: SessionID(slot: 1, generation: 2), callerID: RPCID("x"), callee: SessionID(slot: 3, generation: 0),
            sendsStream: true, isStreaming: true, isPaused: true), message: RecordBytes([9]))
    private static let end = RelayEndRecord(unread: RecordBytes([1]), unsent: RecordBytes([2]), hasFinished: true)
    private static let full = HandoverImage(
        newestCall: .max, sessions: [session, session], calls: [call], relayEnds: [end, end])
    private static let empty = HandoverImage(newestCall: 0, sessions: [], calls: [], relayEnds: [])

    @Test func `is read as it was written`() {
        for image in [Self.empty, Self.full] { #expect(HandoverImage(decoding: image.encoded) == image) }
    }

    /// Each field alone, changed to something that differs from the plain one.
    private static let changes: [@Sendable (inout SessionRecord) -> Void] = [
        { $0.id = session.id }, { $0.state.service = session.state.service }, { $0.state.form = .strictLines },
        { $0.state.form = .nodeIPC }, { $0.state.reach = .services }, { $0.state.reach = .proof },
        { $0.state.reach = session.state.reach }, { $0.state.isOfNetwork = true }, { $0.state.watchesMetadata = true },
        { $0.state.takesSignals = true }, { $0.state.hasFinished = true }, { $0.state.target = session.state.target },
        { $0.calls.left = [1: false] }, { $0.calls.uploads = [RPCID(7): 3] }, { $0.connection.unread.bytes = [7] },
        { $0.connection.unsent.bytes = [8] }, { $0.connection.isDiscarding = true },
        { $0.connection.isFirstLine = false }, { $0.connection.waste = 9 },
    ]

    @Test(arguments: changes.indices) func `tells each field of a session apart`(place: Int) {
        let plain = SessionRecord(
            id: SessionID(slot: 0, generation: 0), state: .client, calls: .init(left: [:], uploads: [:]),
            connection: .new)
        var changed = plain
        Self.changes[place](&changed)
        #expect(changed != plain)
        let image = HandoverImage(newestCall: 0, sessions: [changed], calls: [], relayEnds: [])
        #expect(HandoverImage(decoding: image.encoded)?.sessions == [changed])
    }

    @Test func `tells each field of a call and of a relay apart`() {
        let plain = CallRecord(
            number: 1,
            state: .init(
                caller: .daemon, callerID: RPCID(1), callee: .daemon, sendsStream: false, isStreaming: false,
                isPaused: false), message: nil)
        let changes: [(inout CallRecord) -> Void] = [
            { $0.number = 2 }, { $0.state.caller = Self.session.id }, { $0.state.callee = Self.session.id },
            { $0.state.callerID = RPCID("1") }, { $0.state.sendsStream = true }, { $0.state.isStreaming = true },
            { $0.state.isPaused = true }, { $0.state.deadline = 5 }, { $0.message = RecordBytes([]) },
        ]
        for (place, change) in changes.enumerated() {
            var changed = plain
            change(&changed)
            let image = HandoverImage(newestCall: 0, sessions: [], calls: [changed], relayEnds: [])
            #expect(changed != plain && HandoverImage(decoding: image.encoded)?.calls == [changed], "\(place)")
        }
        var ends = [Self.end, Self.end]
        ends[1].hasFinished = false
        let image = HandoverImage(newestCall: 0, sessions: [], calls: [], relayEnds: ends)
        #expect(HandoverImage(decoding: image.encoded)?.relayEnds == ends)
    }

    @Test func `that is cut short, longer, or of another version is not read`() {
        let bytes = Self.full.encoded
        for count in bytes.indices { #expect(HandoverImage(decoding: Array(bytes[..<count])) == nil, "\(count)") }
        #expect(HandoverImage(decoding: bytes + [0]) == nil)
        #expect(HandoverImage(decoding: [bytes[0] + 1] + bytes.dropFirst()) == nil)
    }

    @Test func `with numbers that nobody writes is not read`() throws {
        func read<Value: RecordValue>(_ numbers: UInt64..., as type: Value.Type) throws(RecordProblem) -> Value {
            var bytes: [UInt8] = []
            for number in numbers { number.put(&bytes) }
            var rest = bytes[...]
            return try Value.read(&rest)
        }
        #expect(throws: RecordProblem.unknownValue) { try read(2, as: Bool.self) }
        #expect(throws: RecordProblem.unknownValue) { try read(3, as: MessageForm.self) }
        #expect(throws: RecordProblem.unknownValue) { try read(4, as: PeerReach.self) }
        // A list that allows nothing is none.
        #expect(throws: RecordProblem.unknownValue) { try read(3, 0, as: PeerReach.self) }
        // Counts that no bytes follow must not be believed.
        #expect(throws: RecordProblem.tooShort) { try read(.max, as: [UInt64].self) }
        #expect(throws: RecordProblem.tooShort) { try read(.max, as: RecordBytes.self) }
        #expect(throws: RecordProblem.tooShort) { try read(.max, as: [UInt64: Bool].self) }
        #expect(try read(1, 5, as: UInt64?.self) == 5)
        #expect(try read(0, as: UInt64?.self) == nil)
    }
}
