/// Walks JSON text without building anything: checks it strictly (RFC 8259, UTF-8) and tells where its values stand.
///
/// The bytes belong to the caller and must outlive the scanner. No method allocates unless it throws.
public struct JSONScanner {
    /// Arrays and objects may stand this deep in each other; deeper text is an error, never a full stack.
    public static let depthLimit = 512

    /// The text.
    public let bytes: UnsafeRawBufferPointer
    /// The next byte to look at, from the start of `bytes`.
    public internal(set) var offset: Int
    let end: Int

    /// A scanner that begins at `offset`.
    public init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
        self.end = bytes.count
    }

    /// The byte at `offset`, or nil at the end.
    public var next: UInt8? {
        offset < end ? bytes[offset] : nil
    }

    /// Steps over blanks, tabs and line ends.
    @inline(__always)
    public mutating func skipWhitespace() {
        while offset < end {
            let byte = bytes[offset]
            guard byte <= Byte.space else { return }
            guard
                byte == Byte.space || byte == Byte.newline || byte == Byte.carriageReturn || byte == Byte.tab
            else { return }
            offset += 1
        }
    }

    /// Steps over `byte` if it is next, whitespace first; says whether it was.
    @inline(__always)
    public mutating func skip(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard offset < end, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// Steps over one whole value, whitespace first, and returns where it stands; throws at the first byte that is not JSON.
    public mutating func skipValue() throws(JSONError) -> Range<Int> {
        skipWhitespace()
        let start = offset
        try skipValue(depth: 0)
        return start..<offset
    }

    /// Throws unless only whitespace is left.
    public mutating func expectEnd() throws(JSONError) {
        skipWhitespace()
        guard offset == end else { throw failure("expected the end of the text") }
    }

    /// Throws the plainer error for a text that opens with a byte order mark (RFC 8259 section 8.1 allows refusing it).
    public func refuseByteOrderMark() throws(JSONError) {
        guard end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF else { return }
        throw JSONError("the text begins with a byte order mark; save it without one", at: 0, in: bytes)
    }

    /// An error at the current place; at the end of the text it says so.
    @inline(never)
    public func failure(_ reason: String) -> JSONError {
        JSONError(offset < end ? reason : "\(reason), but the text ends here", at: offset, in: bytes)
    }

    private mutating func skipValue(depth: Int) throws(JSONError) {
        guard offset < end else { throw failure("expected a value") }
        switch bytes[offset] {
        case Byte.quote: try skipString()
        case Byte.leftBrace: try skipObject(depth: depth + 1)
        case Byte.leftBracket: try skipArray(depth: depth + 1)
        case UInt8(ascii: "t"): try skipLiteral("true")
        case UInt8(ascii: "f"): try skipLiteral("false")
        case UInt8(ascii: "n"): try skipLiteral("null")
        default: try skipNumber()
        }
    }

    private mutating func skipObject(depth: Int) throws(JSONError) {
        try enter(depth)
        if skip(Byte.rightBrace) { return }
        repeat {
            try skipKey()
            skipWhitespace()
            try skipValue(depth: depth)
        } while try continues(until: Byte.rightBrace)
    }

    private mutating func skipArray(depth: Int) throws(JSONError) {
        try enter(depth)
        if skip(Byte.rightBracket) { return }
        repeat {
            skipWhitespace()
            try skipValue(depth: depth)
        } while try continues(until: Byte.rightBracket)
    }
}

extension JSONScanner {
    /// Steps over the bracket that opens the container at this depth.
    @inline(__always)
    mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= Self.depthLimit else { throw failure("nested deeper than \(Self.depthLimit) levels") }
        offset += 1
    }

    /// Steps over a member's name and its colon, whitespace first, and returns the name.
    @inline(__always)
    @discardableResult
    public mutating func skipKey() throws(JSONError) -> JSONStringToken {
        skipWhitespace()
        guard offset < end, bytes[offset] == Byte.quote else { throw failure("expected a name in double quotes") }
        let key = try skipString()
        guard skip(Byte.colon) else { throw failure("expected ':'") }
        return key
    }

    /// Steps over a comma (true: another element follows) or the closing bracket (false).
    @inline(__always)
    public mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        guard offset < end else { throw failure("expected ',' or '\(Character(Unicode.Scalar(close)))'") }
        let byte = bytes[offset]
        guard byte == Byte.comma || byte == close else {
            throw failure("expected ',' or '\(Character(Unicode.Scalar(close)))'")
        }
        offset += 1
        return byte == Byte.comma
    }

    mutating func skipLiteral(_ text: StaticString) throws(JSONError) {
        for place in 0..<text.utf8CodeUnitCount {
            guard offset + place < end, bytes[offset + place] == text.utf8Start[place] else {
                throw failure("expected a value, perhaps \(text)")
            }
        }
        offset += text.utf8CodeUnitCount
    }

    mutating func skipNumber() throws(JSONError) {
        let start = offset
        if bytes[offset] == Byte.minus { offset += 1 }
        guard let first = next, isDigit(first) else {
            if offset > start { throw failure("expected a digit") }
            throw failure("expected a value")
        }
        skipDigits()
        if first == Byte.zero, offset - start > (bytes[start] == Byte.minus ? 2 : 1) {
            offset = start
            throw failure("a number must not begin with 0")
        }
        if next == Byte.point {
            offset += 1
            try expectDigits()
        }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if let sign = next, sign == Byte.plus || sign == Byte.minus { offset += 1 }
            try expectDigits()
        }
    }

    private mutating func expectDigits() throws(JSONError) {
        guard let byte = next, isDigit(byte) else { throw failure("expected a digit") }
        skipDigits()
    }

    @inline(__always)
    private mutating func skipDigits() {
        while offset < end, isDigit(bytes[offset]) { offset += 1 }
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- Byte.zero <= 9 }
}
