import PMModel

/// The part of an instance's state that outlives the daemon.
public struct UnitSnapshot: Equatable, Sendable {
    /// State of the instance.
    public var state: UnitState
    /// The present or last incarnation.
    public var incarnation: UInt64
    /// Restarts nobody asked for since the last start that somebody asked for.
    public var restarts: UInt32
    /// The dead incarnation whose record pm-init keeps.
    public var held: UInt64?
    /// The last deaths.
    public var history: RestartHistory

    /// The incarnation whose record at pm-init is to hold this snapshot: the living one, else the last dead one.
    public var record: UInt64 {
        switch state {
        case .starting, .up, .stopping: incarnation
        case .down, .backingOff, .cooling: held ?? incarnation
        }
    }
}

// MARK: - Binary form

/// One version byte, then fixed little-endian fields in the order written below; only the deaths vary in number.
/// The state record of a child at pm-init is small, and an unknown version must differ from a broken one.
extension UnitSnapshot {
    /// The version that `encode` writes.
    public static let version: UInt8 = 1
    /// The longest encoding, bytes.
    public static let maximumSize = 300

    /// The binary form, at most `maximumSize` bytes.
    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(Self.version)
        writer.put(incarnation)
        writer.put(held ?? 0)
        writer.put(restarts)
        writer.put(history)
        writer.put(state)
        return writer.bytes
    }

    /// Reads the binary form; nil where it is not exactly one whole snapshot of a known version.
    public init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard reader.read(UInt8.self) == Self.version,
            let incarnation = reader.readIncarnation(), let held = reader.readIncarnation(),
            let restarts = reader.read(UInt32.self), let history = reader.readHistory(),
            let state = reader.readState(incarnation: incarnation), reader.isAtEnd
        else { return nil }
        self.init(
            state: state, incarnation: incarnation, restarts: restarts, held: held == 0 ? nil : held, history: history)
    }
}

/// Appends fixed-width integers, least significant byte first.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(UnitSnapshot.maximumSize)
    }

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ time: MonotonicTime) { put(time.nanoseconds) }
}

/// Reads fixed-width integers, least significant byte first; every read may find too few bytes.
struct ByteReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { place == bytes.count }

    mutating func read<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
        let size = MemoryLayout<Value>.size
        guard bytes.count - place >= size else { return nil }
        defer { place += size }
        return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Value.self)) }
    }

    mutating func readTime() -> MonotonicTime? {
        read(UInt64.self).map { MonotonicTime(nanoseconds: $0) }
    }

    /// Incarnations count from 1; one near the end of its range is not ours, and must not overflow.
    mutating func readIncarnation() -> UInt64? {
        read(UInt64.self).flatMap { $0 < UInt64(Int64.max) ? $0 : nil }
    }
}
