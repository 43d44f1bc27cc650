/// A short stand-in for a text: FNV-1a of 64 bits. Equal in every process, which Swift's own hashes are not; two texts
/// may share one, so no protection may depend on it.
public struct Fingerprint: Equatable, Sendable {
    /// The number.
    public let value: UInt64

    /// Of the text's bytes in UTF-8.
    public init(of text: String) { self.init(of: text.utf8) }

    /// Of bytes.
    public init(of bytes: some Sequence<UInt8>) {
        value = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The number as 16 hexadecimal digits.
    public var digits: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
