/// The place of a string within a text: it is decoded only when needed.
public struct JSONStringToken: Sendable {
    /// The bytes between the quotes.
    public let range: Range<Int>
    /// True when the string has escapes; without them its bytes are the value, and need no copy.
    public let hasEscapes: Bool

    /// A part of a string that a scanner has accepted; it must not begin or end inside an escape.
    public init(range: Range<Int>, hasEscapes: Bool) {
        self.range = range
        self.hasEscapes = hasEscapes
    }
}

extension JSONScanner {
    /// Steps over the string whose opening quote is next; throws for control characters, bad escapes and bad UTF-8.
    @discardableResult
    public mutating func skipString() throws(JSONError) -> JSONStringToken {
        let opening = index
        index += 1
        var hasEscapes = false
        while true {
            skipPlainBytes()
            guard index < end else {
                throw JSONError("this string has no closing quote", at: opening, in: bytes)
            }
            let byte = bytes[index]
            if byte == Byte.quote {
                index += 1
                return JSONStringToken(range: opening + 1..<index - 1, hasEscapes: hasEscapes)
            } else if byte == Byte.backslash {
                hasEscapes = true
                try skipEscape()
            } else if byte < 0x20 {
                throw failure("a control character in a string must be written as an escape")
            } else {
                try skipMultibyte()
            }
        }
    }

    /// Steps over bytes that mean themselves, eight at a time: ASCII but quotes, backslashes and control characters.
    @inline(__always)
    private mutating func skipPlainBytes() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        while index + 8 <= end {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // Subtracting sets the high bit of the first byte that is too small (and perhaps of later ones: only
            // the first counts).
            let quote = (word ^ (ones &* 0x22)) &- ones
            let backslash = (word ^ (ones &* 0x5C)) &- ones
            let control = word &- (ones &* 0x20)
            let special = (quote | backslash | control | word) & (ones &* 0x80)
            if special != 0 {
                index += special.trailingZeroBitCount >> 3
                return
            }
            index += 8
        }
        while index < end, isPlain(bytes[index]) { index += 1 }
    }

    @inline(__always)
    private func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != Byte.quote && byte != Byte.backslash
    }

    private mutating func skipEscape() throws(JSONError) {
        guard index + 1 < end else {
            index = end
            return
        }
        switch bytes[index + 1] {
        case Byte.quote, Byte.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 2
        case UInt8(ascii: "u"):
            for place in index + 2..<index + 6 {
                guard place < end, hexDigit(bytes[place]) != nil else {
                    throw failure("expected four hexadecimal digits after \\u")
                }
            }
            index += 6
        default: throw failure("there is no such escape")
        }
    }

    /// Steps over one character of two to four bytes (Unicode table 3-7: no overlong forms, no surrogates).
    private mutating func skipMultibyte() throws(JSONError) {
        let lead = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw failure("invalid UTF-8")
        }
        guard index + length <= end, second.contains(bytes[index + 1]) else { throw failure("invalid UTF-8") }
        for place in index + 2..<index + length where bytes[place] & 0xC0 != 0x80 {
            throw failure("invalid UTF-8")
        }
        index += length
    }
}

@inline(__always)
private func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}

extension JSONStringToken {
    /// The string's text, its escapes resolved. A lone surrogate (`\ud800`), which no Swift string can hold, reads as U+FFFD.
    public func string(in bytes: UnsafeRawBufferPointer) -> String {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
        if !hasEscapes { return String(decoding: raw, as: UTF8.self) }
        // No escape is shorter than the UTF-8 of what it stands for.
        return String(unsafeUninitializedCapacity: raw.count) { output in
            var writer = Unescaper(input: raw, output: output)
            return writer.run()
        }
    }
}

/// Resolves the escapes of a string that the scanner has accepted.
private struct Unescaper {
    let input: UnsafeRawBufferPointer
    let output: UnsafeMutableBufferPointer<UInt8>
    var place = 0
    var written = 0

    init(input: UnsafeRawBufferPointer, output: UnsafeMutableBufferPointer<UInt8>) {
        self.input = input
        self.output = output
    }

    mutating func run() -> Int {
        while place < input.count {
            let byte = input[place]
            place += 1
            if byte == Byte.backslash { resolve() } else { put(byte) }
        }
        return written
    }

    private mutating func resolve() {
        let letter = input[place]
        place += 1
        switch letter {
        case UInt8(ascii: "b"): put(0x08)
        case UInt8(ascii: "f"): put(0x0C)
        case UInt8(ascii: "n"): put(Byte.newline)
        case UInt8(ascii: "r"): put(Byte.carriageReturn)
        case UInt8(ascii: "t"): put(Byte.tab)
        case UInt8(ascii: "u"): putScalar()
        default: put(letter)
        }
    }

    private mutating func putScalar() {
        var value = UInt32(codeUnit(at: place))
        place += 4
        if value & 0xFC00 == 0xD800, let low = lowSurrogate() {
            value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
            place += 6
        }
        for byte in UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter { put(byte) }
    }

    /// The second half of a pair, if the next six bytes are one.
    private func lowSurrogate() -> UInt32? {
        guard place + 6 <= input.count, input[place] == Byte.backslash, input[place + 1] == UInt8(ascii: "u") else {
            return nil
        }
        let unit = UInt32(codeUnit(at: place + 2))
        return unit & 0xFC00 == 0xDC00 ? unit : nil
    }

    private func codeUnit(at start: Int) -> UInt16 {
        input[start..<start + 4].reduce(0) { $0 << 4 | (hexDigit($1) ?? 0) }
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        output[written] = byte
        written += 1
    }
}
