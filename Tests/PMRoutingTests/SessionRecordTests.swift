import PMModel
import Testing

@testable import PMRouting

/// What a daemon leaves to its successor of its connections.
@Suite struct SessionRecordTests {
    /// A record in which everything is said.
    private func full() -> SessionRecord {
        var record = SessionRecord()
        record.service = IncarnationID(unit: "web#2", number: 7)
        record.target = IncarnationID(unit: "größe", number: .max)
        record.partner = 0
        (record.unread, record.unsent) = ([1, 2, 3], [0, 255])
        record.newestID = 1 << 40
        (record.hasFinished, record.isStrict, record.isOfNetwork, record.watchesMetadata) = (true, true, true, true)
        record.left = [7, .max]
        record.reach = AllowList(["shop", "db.get"]).map { .allowed($0) } ?? .proof
        record.calls = [
            .init(id: 3, caller: 1, callerID: Array(#""a""#.utf8), isStream: true),
            .init(id: 4, caller: 0, callerID: [], isStream: false, isUpload: true),
        ]
        return record
    }

    @Test func `records are read as they were written`() {
        for records in [[], [SessionRecord()], [full()], [full(), SessionRecord(), full()]] {
            #expect(SessionRecord.decode(SessionRecord.encode(records)) == records)
        }
    }

    private static let reaches: [PeerReach] =
        [.everything, .services, .proof]
        + [AllowList(["shop"]), AllowList(["a.b", "*"])].compactMap { $0 }.map { .allowed($0) }

    @Test(arguments: reaches, [(false, false), (true, false), (false, true)])
    func `how far a connection reaches is kept, whether it has finished or not`(
        reach: PeerReach, flags: (hasFinished: Bool, isStrict: Bool)
    ) {
        var record = SessionRecord()
        record.reach = reach
        (record.hasFinished, record.isStrict) = flags
        let read = SessionRecord.decode(SessionRecord.encode([record]))?.first
        #expect(read?.reach == reach && read?.hasFinished == flags.hasFinished && read?.isStrict == flags.isStrict)
    }

    @Test func `a connection reaches everything unless something else is said`() {
        #expect(SessionRecord().reach == .everything)
    }

    @Test func `what is cut short, longer, or of another version is not read`() {
        let bytes = SessionRecord.encode([full()])
        for count in bytes.indices { #expect(SessionRecord.decode(Array(bytes[..<count])) == nil, "\(count)") }
        #expect(SessionRecord.decode(bytes + [0]) == nil)
        #expect(SessionRecord.decode([bytes[0] + 1] + bytes.dropFirst()) == nil)
    }
}
