/// Arguments and variables as text, without losing a byte: on Linux they are bytes, and need not be UTF-8 (execve(2)).
///
/// A byte that is no part of UTF-8 becomes a scalar of its own, U+10FE80 to U+10FEFF, for the bytes 80 to FF. They are for
/// private use, and nobody writes them; where one is in the bytes, its four bytes become four such scalars. So each text that
/// `text(of:)` makes gives the same bytes again. Python does the same with surrogates, which Swift and JSON do not have.
public enum ByteText {
    private static let first: UInt32 = 0x10FE00
    private static let reserved: ClosedRange<UInt32> = 0x10FE80...0x10FEFF
    /// The first byte of all scalars from U+100000 on.
    private static let lead: UInt8 = 0xF4

    /// Bytes as text.
    public static func text<Bytes: Collection<UInt8>>(of bytes: Bytes) -> String {
        if !bytes.contains(lead), let text = String(validating: bytes, as: UTF8.self) { return text }
        var scalars = String.UnicodeScalarView()
        var rest = bytes[...]
        while let byte = rest.first {
            if let (scalar, length) = nextScalar(in: rest), !reserved.contains(scalar.value) {
                scalars.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                scalars.append(Self.scalar(of: byte))
                rest = rest.dropFirst()
            }
        }
        return String(scalars)
    }

    /// The bytes of a text.
    public static func bytes(of text: String) -> [UInt8] {
        guard text.utf8.contains(lead) else { return Array(text.utf8) }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if let byte = byte(of: scalar) { bytes.append(byte) } else { bytes += Array(String(scalar).utf8) }
        }
        return bytes
    }

    /// The byte that a scalar has the place of; nil for all others.
    public static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        reserved.contains(scalar.value) ? UInt8(truncatingIfNeeded: scalar.value) : nil
    }

    /// The scalar at the start of bytes and its length; nil when they are no UTF-8 there (RFC 3629).
    private static func nextScalar(in bytes: some Collection<UInt8>) -> (Unicode.Scalar, Int)? {
        for length in 1...4 {
            let start = bytes.prefix(length)
            guard start.count == length else { return nil }
            if let text = String(validating: start, as: UTF8.self) {
                return text.unicodeScalars.first.map { ($0, length) }
            }
        }
        return nil
    }

    private static func scalar(of byte: UInt8) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(first + UInt32(byte)) else {
            preconditionFailure("the scalars of plane 16 are all scalars")
        }
        return scalar
    }
}
