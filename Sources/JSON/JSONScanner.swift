/// Walks JSON text without building anything: checks it strictly (RFC 8259, UTF-8) and tells where its values stand.
///
/// The bytes belong to the caller and must outlive the scanner. No method allocates unless it throws.
public struct JSONScanner {
    /// Arrays and objects may stand this deep in each other; deeper text is an error, never a full stack.
    public static let depthLimit = 512

    /// The text.
    public let bytes: UnsafeRawBufferPointer
    @usableFromInline var index: Int
    @usableFromInline let end: Int

    /// A scanner that begins at `offset`.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.index = offset
        self.end = bytes.count
    }

    /// The next byte to look at, from the start of `bytes`.
    @inlinable public var offset: Int { index }

    /// The byte at `offset`, or nil at the end.
    @inlinable public var next: UInt8? {
        index < end ? bytes[index] : nil
    }

    /// Steps over blanks, tabs and line ends.
    @inlinable @inline(__always)
    public mutating func skipWhitespace() {
        while index < end {
            let byte = bytes[index]
            guard byte <= Byte.space else { return }
            guard
                byte == Byte.space || byte == Byte.newline || byte == Byte.carriageReturn || byte == Byte.tab
            else { return }
            index += 1
        }
    }

    /// Steps over `byte` if it is next, whitespace first; says whether it was.
    @inlinable @inline(__always)
    public mutating func skip(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard index < end, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    /// Steps over one whole value, whitespace first, and returns where it stands; throws at the first byte that is not JSON.
    public mutating func skipValue() throws(JSONError) -> Range<Int> {
        skipWhitespace()
        let start = index
        try skipValue(depth: 0)
        return start..<index
    }

    /// Throws unless only whitespace is left.
    public mutating func expectEnd() throws(JSONError) {
        skipWhitespace()
        guard index == end else { throw failure("expected the end of the text") }
    }

    /// Throws the plainer error for a text that opens with a byte order mark (RFC 8259 section 8.1 allows refusing it).
    public func refuseByteOrderMark() throws(JSONError) {
        guard end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF else { return }
        throw JSONError("the text begins with a byte order mark; save it without one", at: 0, in: bytes)
    }

    /// An error at the current place; at the end of the text it says so.
    @inline(never)
    public func failure(_ reason: String) -> JSONError {
        JSONError(index < end ? reason : "\(reason), but the text ends here", at: index, in: bytes)
    }

    private mutating func skipValue(depth: Int) throws(JSONError) {
        guard index < end else { throw failure("expected a value") }
        switch bytes[index] {
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
            if index < end, isDigit(bytes[index]) {
                skipPlainNumbers()
                skipWhitespace()
            }
            try skipValue(depth: depth)
        } while try continues(until: Byte.rightBracket)
    }
}

extension JSONScanner {
    /// Steps over the bracket that opens the container at this depth.
    @inline(__always)
    mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= Self.depthLimit else { throw failure("nested deeper than \(Self.depthLimit) levels") }
        index += 1
    }

    /// Steps over a member's name and its colon, whitespace first, and returns the name.
    @inlinable @inline(__always)
    @discardableResult
    public mutating func skipKey() throws(JSONError) -> JSONStringToken {
        skipWhitespace()
        guard index < end, bytes[index] == Byte.quote else { throw failure("expected a name in double quotes") }
        let key = try skipString()
        guard skip(Byte.colon) else { throw failure("expected ':'") }
        return key
    }

    /// Steps over a comma (true: another element follows) or the closing bracket (false).
    @inlinable @inline(__always)
    public mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        guard index < end, bytes[index] == Byte.comma || bytes[index] == close else { throw noEnd(close) }
        index += 1
        return bytes[index - 1] == Byte.comma
    }

    @usableFromInline @inline(never)
    func noEnd(_ close: UInt8) -> JSONError {
        failure("expected ',' or '\(Character(Unicode.Scalar(close)))'")
    }

    mutating func skipLiteral(_ text: StaticString) throws(JSONError) {
        for place in 0..<text.utf8CodeUnitCount {
            guard index + place < end, bytes[index + place] == text.utf8Start[place] else {
                throw failure("expected a value, perhaps \(text)")
            }
        }
        index += text.utf8CodeUnitCount
    }

    mutating func skipNumber() throws(JSONError) {
        let start = index
        if bytes[index] == Byte.minus { index += 1 }
        guard let first = next, isDigit(first) else {
            if index > start { throw failure("expected a digit") }
            throw failure("expected a value")
        }
        skipDigits()
        if first == Byte.zero, index - start > (bytes[start] == Byte.minus ? 2 : 1) {
            index = start
            throw failure("a number must not begin with 0")
        }
        if next == Byte.point {
            index += 1
            try expectDigits()
        }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            index += 1
            if let sign = next, sign == Byte.plus || sign == Byte.minus { index += 1 }
            try expectDigits()
        }
    }

    private mutating func expectDigits() throws(JSONError) {
        guard let byte = next, isDigit(byte) else { throw failure("expected a digit") }
        skipDigits()
    }

    @inline(__always)
    private mutating func skipDigits() {
        while index < end, isDigit(bytes[index]) { index += 1 }
    }

    @inline(__always)
    fileprivate func isDigit(_ byte: UInt8) -> Bool { byte &- Byte.zero <= 9 }
}
