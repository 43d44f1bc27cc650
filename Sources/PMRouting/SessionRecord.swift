public import PMModel

/// All that a successor of this daemon must know of one connection, besides its socket.
public struct SessionRecord: Equatable, Sendable {
    /// A request that was passed on to this peer and is not answered.
    public struct Call: Equatable, Sendable {
        /// The id it was passed on with.
        public var id: UInt64
        /// The place of its caller among the records.
        public var caller: Int
        /// The caller's id for it, as JSON text.
        public var callerID: [UInt8]
        /// Whether its answer is a stream that has begun.
        public var isStream: Bool
        /// Whether one of its parameters is a stream that has not ended.
        public var isUpload = false
    }

    /// The incarnation at the other end; nil for a client.
    public var service: IncarnationID?
    /// Bytes that came and were not handled.
    public var unread: [UInt8] = []
    /// Bytes that are to go out.
    public var unsent: [UInt8] = []
    /// The last id that a request to it got.
    public var newestID: UInt64 = 0
    /// What it has to answer.
    public var calls: [Call] = []
    /// Whether it sends no more.
    public var hasFinished = false
    /// How far its requests reach.
    public var reach = PeerReach.everything
    /// Whether its first line that is no message ends the connection.
    public var isStrict = false
    /// Whether it is a client on the network.
    public var isOfNetwork = false
    /// Whether it wants to know when commands change.
    public var watchesMetadata = false
    /// Calls to it whose callers have left.
    public var left: [UInt64] = []
    /// The incarnation that everything of this client is for; nil when it talks to the daemon.
    public var target: IncarnationID?
    /// The place of the other end among the records, when this is an end of a relay.
    public var partner: Int?

    /// Nothing is known yet.
    public init() {}
}

// MARK: - Binary form

/// Counts and numbers in eight bytes, little-endian; bytes after their count. A daemon of another version than wrote
/// them finds another number at the start.
extension SessionRecord {
    private static let version: UInt64 = 4

    /// The binary form of records.
    public static func encode(_ records: [SessionRecord]) -> [UInt8] {
        var writer = RecordWriter()
        writer.put(version)
        writer.put(UInt64(records.count))
        for record in records { record.encode(&writer) }
        return writer.bytes
    }

    private func encode(_ writer: inout RecordWriter) {
        writer.put(service)
        writer.put(target)
        writer.put(UInt64(partner.map { $0 + 1 } ?? 0))
        writer.put(unread)
        writer.put(unsent)
        writer.put(newestID)
        writer.put((hasFinished ? 1 : 0) | (isStrict ? 2 : 0) | (isOfNetwork ? 4 : 0) | (watchesMetadata ? 8 : 0))
        writer.put(UInt64(left.count))
        for number in left { writer.put(number) }
        writer.put(reach)
        writer.put(UInt64(calls.count))
        for call in calls {
            writer.put(call.id)
            writer.put(UInt64(call.caller))
            writer.put(call.callerID)
            writer.put((call.isStream ? 1 : 0) | (call.isUpload ? 2 : 0))
        }
    }

    /// Reads what `encode` wrote; nil where it is anything else.
    public static func decode(_ bytes: [UInt8]) -> [SessionRecord]? {
        var reader = RecordReader(bytes: bytes[...])
        guard reader.number() == version, let count = reader.number() else { return nil }
        var records: [SessionRecord] = []
        for _ in 0..<count {
            guard let record = SessionRecord(&reader) else { return nil }
            records.append(record)
        }
        return reader.bytes.isEmpty ? records : nil
    }

    private init?(_ reader: inout RecordReader) {
        guard let service = reader.incarnation(), let target = reader.incarnation(), let partner = reader.number(),
            let unread = reader.chunk(), let unsent = reader.chunk(), let newest = reader.number(),
            let flags = reader.number(), let left = reader.numbers(), let reach = reader.reach(),
            let count = reader.number()
        else { return nil }
        self.service = service.unit.isEmpty ? nil : service
        self.target = target.unit.isEmpty ? nil : target
        self.partner = partner == 0 ? nil : Int(clamping: partner) - 1
        self.unread = unread
        self.unsent = unsent
        newestID = newest
        hasFinished = flags & 1 != 0
        isStrict = flags & 2 != 0
        isOfNetwork = flags & 4 != 0
        watchesMetadata = flags & 8 != 0
        self.left = left
        self.reach = reach
        for _ in 0..<count {
            guard let id = reader.number(), let caller = reader.number(), let callerID = reader.chunk(),
                let flags = reader.number()
            else { return nil }
            calls.append(
                Call(
                    id: id, caller: Int(clamping: caller), callerID: callerID, isStream: flags & 1 != 0,
                    isUpload: flags & 2 != 0))
        }
    }
}

private struct RecordWriter {
    var bytes: [UInt8] = []

    mutating func put(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    mutating func put(_ chunk: [UInt8]) {
        put(UInt64(chunk.count))
        bytes += chunk
    }

    /// A number for each kind; patterns after their count.
    mutating func put(_ reach: PeerReach) {
        switch reach {
        case .everything: put(0)
        case .services: put(1)
        case .proof: put(2)
        case .allowed(let list):
            put(3)
            put(UInt64(list.patterns.count))
            for pattern in list.patterns { put(Array(pattern.utf8)) }
        }
    }

    /// None has an empty name, which no unit has.
    mutating func put(_ incarnation: IncarnationID?) {
        put(Array((incarnation?.unit ?? "").utf8))
        put(incarnation?.number ?? 0)
    }
}

private struct RecordReader {
    var bytes: ArraySlice<UInt8>

    mutating func number() -> UInt64? {
        guard bytes.count >= 8 else { return nil }
        var value: UInt64 = 0
        for (place, byte) in bytes.prefix(8).enumerated() {
            value |= UInt64(byte) << (8 * place)  // bounded: eight places
        }
        bytes = bytes.dropFirst(8)
        return value
    }

    mutating func numbers() -> [UInt64]? {
        guard let count = number(), count <= UInt64(bytes.count / 8) else { return nil }
        return (0..<count).compactMap { _ in number() }
    }

    mutating func reach() -> PeerReach? {
        switch number() {
        case 0: return .everything
        case 1: return .services
        case 2: return .proof
        case 3:
            guard let count = number(), count <= UInt64(AllowList.mostPatterns) else { return nil }
            var patterns: [String] = []
            for _ in 0..<count {
                guard let pattern = chunk() else { return nil }
                patterns.append(String(decoding: pattern, as: UTF8.self))
            }
            return AllowList(patterns).map { .allowed($0) }
        default: return nil  // numbers of another version
        }
    }

    mutating func incarnation() -> IncarnationID? {
        guard let unit = chunk(), let number = number() else { return nil }
        return IncarnationID(unit: String(decoding: unit, as: UTF8.self), number: number)
    }

    mutating func chunk() -> [UInt8]? {
        guard let count = number(), count <= UInt64(bytes.count) else { return nil }
        let chunk = Array(bytes.prefix(Int(count)))
        bytes = bytes.dropFirst(Int(count))
        return chunk
    }
}
