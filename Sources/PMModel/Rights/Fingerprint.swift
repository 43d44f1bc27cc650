/// A short stand-in for a text: FNV-1a of 64 bits. Equal in every process, which Swift's own hashes are not; two texts
/// may share one, so no protection may depend on it.
public struct Fingerprint: Equatable, Sendable {
    /// The number.
    public let value: UInt64

    /// Of the text's bytes in UTF-8.
    public init(of text: String) { self.init(of: text.utf8) }

    /// Of bytes.
    public init(of bytes: some Sequence<UInt8>) {
        // A loop over memory is forty times faster than one over an unknown sequence, and thousands are made at a start.
        value =
            bytes.withContiguousStorageIfAvailable { Self.hash($0) }
            ?? bytes.reduce(Self.basis) { ($0 ^ UInt64($1)) &* Self.prime }
    }

    private static let basis: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let prime: UInt64 = 0x100_0000_01b3

    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var value = basis
        for byte in bytes { value = (value ^ UInt64(byte)) &* prime }
        return value
    }

    /// The number as 16 hexadecimal digits.
    public var digits: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
