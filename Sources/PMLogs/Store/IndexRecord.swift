import PMModel

/// One entry of a segment's index: from this offset on, the bytes carry this stamp, until the next entry's offset.
///
/// On disk 16 bytes, little-endian: time (8, nanoseconds since 1970), offset (4), stream (1; bit 7: starts again),
/// format (1), checksum of the fourteen bytes before (2). The checksum tells a record from the zeros and halves of
/// records that a power cut leaves.
struct IndexRecord: Equatable {
    static let size = 16
    private static let format: UInt64 = 1

    var offset: Int
    var stamp: LogStamp

    /// Appends the record as it stands on disk.
    func append(to bytes: inout [UInt8]) {
        let time = UInt64(bitPattern: stamp.time.nanoseconds)
        let tag = UInt64(stamp.stream.rawValue) | (stamp.startsAnew ? 0x80 : 0)
        let rest = UInt64(UInt32(truncatingIfNeeded: offset)) | tag << 32 | Self.format << 40
        withUnsafeBytes(of: time.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: (rest | Self.checksum(time, rest) << 48).littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Reads the record at a position of the index; nil when what stands there is none.
    init?(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        let time = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let rest = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
        let body = rest & 0xFFFF_FFFF_FFFF
        guard rest >> 48 == Self.checksum(time, body), body >> 40 == Self.format else { return nil }
        guard let stream = LogStream(rawValue: UInt8(body >> 32 & 0x7F)) else { return nil }
        let isStart = body & 0x80_0000_0000 != 0
        offset = Int(body & 0xFFFF_FFFF)
        stamp = LogStamp(stream, at: WallTime(nanoseconds: Int64(bitPattern: time)), startsAnew: isStart)
    }

    init(offset: Int, stamp: LogStamp) {
        self.offset = offset
        self.stamp = stamp
    }

    private static func checksum(_ time: UInt64, _ rest: UInt64) -> UInt64 {
        // The constants are odd and irregular; any such pair spreads a changed bit over the upper half.
        var mixed = (time ^ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= mixed >> 29
        mixed = (mixed ^ rest) &* 0x94D0_49BB_1331_11EB
        return (mixed >> 48) ^ (mixed >> 32 & 0xFFFF)
    }
}
