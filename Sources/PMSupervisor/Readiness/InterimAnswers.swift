/// Interim answers (RFC 9110, 15.2: 100 Continue, 103 Early Hints) that come before the answer itself.
struct InterimAnswers {
    /// What the next bytes are.
    enum Next: Equatable {
        /// The answer itself, as far as it has arrived.
        case answer
        /// An interim answer that has not arrived whole.
        case incomplete
        /// More interim answers than a server may send.
        case tooMany
    }

    /// Bytes of interim answers that a server may send.
    static let mostBytes = 1 << 14  // bounded: a literal

    private var skipped = 0

    /// Removes the interim answers that the bytes begin with.
    mutating func skip(in bytes: inout [UInt8]) -> Next {
        while Self.isInterim(bytes) {
            let end = Self.endOfHead(bytes)
            guard skipped + (end ?? bytes.count) <= Self.mostBytes else { return .tooMany }
            guard let end else { return .incomplete }
            skipped += end
            bytes.removeFirst(end)
        }
        return .answer
    }

    /// `HTTP/1.1 103`. After 101 another protocol is spoken: that is an answer.
    private static func isInterim(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 12, bytes.starts(with: "HTTP/1.".utf8) else { return false }
        return bytes[9] == UInt8(ascii: "1") && !bytes[9..<12].elementsEqual("101".utf8)
    }

    /// The length of a head with the empty line that ends it; nil while that line is missing.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let (newline, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        for index in bytes.indices where bytes[index] == newline {
            let rest = bytes[(index + 1)...]
            if rest.first == newline { return index + 2 }
            if rest.starts(with: [carriageReturn, newline]) { return index + 3 }
        }
        return nil
    }
}
