import PMModel
import PMSystem

/// The record of a child that pm-init keeps for the daemon's successors: its unit, its wiring, and the machine's
/// snapshot.
struct InstanceRecord: Equatable {
    /// The version that `encode` writes.
    static let version: UInt8 = 1
    /// The longest name that fits beside a snapshot, in bytes.
    static let longestName = 200

    /// The unit's name.
    var unit: String
    /// Which descriptors are held.
    var layout: HeldLayout
    /// When the incarnation was started, by the wall clock.
    var startedAt: WallTime
    /// The state machine's memory.
    var snapshot: UnitSnapshot

    /// The binary form: version, layout, time, name, snapshot.
    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(Self.version)
        writer.put(layout.flags)
        writer.put(startedAt.nanoseconds)
        writer.put(UInt8(clamping: unit.utf8.count))
        return writer.bytes + Array(unit.utf8.prefix(Self.longestName)) + snapshot.encode()
    }

    init(unit: String, layout: HeldLayout, startedAt: WallTime, snapshot: UnitSnapshot) {
        self.unit = unit
        self.layout = layout
        self.startedAt = startedAt
        self.snapshot = snapshot
    }

    /// Reads the binary form; nil when it is not one of a known version.
    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard reader.read(UInt8.self) == Self.version, let flags = reader.read(UInt8.self),
            let layout = HeldLayout(flags: flags),
            let nanoseconds = reader.read(Int64.self), let length = reader.read(UInt8.self)
        else { return nil }
        let start = 11
        guard bytes.count >= start + Int(length),
            let snapshot = UnitSnapshot(decoding: Array(bytes[(start + Int(length))...]))
        else { return nil }
        unit = String(decoding: bytes[start..<(start + Int(length))], as: UTF8.self)
        self.layout = layout
        startedAt = WallTime(nanoseconds: nanoseconds)
        self.snapshot = snapshot
    }
}

extension Instance {
    /// The stop that pm-init carries out when there is no daemon.
    var holderStop: InitStop {
        let first = unit.mapping.stop.steps.first ?? StopStep(signal: 9, wait: .zero)
        let wait = unit.mapping.stop.steps.reduce(Int64(0)) { $0.plus($1.wait.milliseconds) }
        return InitStop(order: stopOrder, signal: first.signal, waitMilliseconds: UInt32(clamping: wait))
    }
}
