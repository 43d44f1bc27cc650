extension JSONValue {
    /// Reads one JSON text (RFC 8259, UTF-8); of two members with one name the later value stays. Throws where it is not JSON.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var parser = JSONParser(scanner: JSONScanner(bytes))
        self = try parser.document()
    }

    /// Reads one JSON text (RFC 8259, UTF-8). Throws where it is not JSON.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> JSONValue in
            try JSONValue(parsing: UnsafeRawBufferPointer(buffer))
        }
    }

    /// Reads one JSON text (RFC 8259, UTF-8). Throws where it is not JSON.
    public init(parsing bytes: ArraySlice<UInt8>) throws(JSONError) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> JSONValue in
            try JSONValue(parsing: UnsafeRawBufferPointer(buffer))
        }
    }

    /// Reads one JSON text (RFC 8259). Throws where it is not JSON.
    public init(parsing text: some StringProtocol) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }
}

/// Builds values from what the scanner accepts.
struct JSONParser {
    var scanner: JSONScanner

    mutating func document() throws(JSONError) -> JSONValue {
        try scanner.refuseByteOrderMark()
        let value = try value(depth: 0)
        try scanner.expectEnd()
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        scanner.skipWhitespace()
        switch scanner.next {
        case Byte.leftBrace: return .object(try object(depth: depth + 1))
        case Byte.leftBracket: return .array(try array(depth: depth + 1))
        default: return try scanner.scalar()
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        try scanner.enter(depth)
        var elements: [JSONValue] = []
        if scanner.skip(Byte.rightBracket) { return elements }
        repeat {
            elements.append(try value(depth: depth))
        } while try scanner.continues(until: Byte.rightBracket)
        return elements
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        try scanner.enter(depth)
        var object = JSONObject()
        if scanner.skip(Byte.rightBrace) { return object }
        repeat {
            let key = try scanner.skipKey().string(in: scanner.bytes)
            object.set(key, try value(depth: depth))
        } while try scanner.continues(until: Byte.rightBrace)
        return object
    }
}

extension JSONScanner {
    /// Reads the value that is next and is neither array nor object.
    mutating func scalar() throws(JSONError) -> JSONValue {
        switch next {
        case Byte.quote: return .string(try skipString().string(in: bytes))
        case UInt8(ascii: "t"):
            try skipLiteral("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try skipLiteral("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try skipLiteral("null")
            return .null
        case .none: throw failure("expected a value")
        default:
            let start = offset
            try skipNumber()
            let text = UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
            return .number(JSONNumber(checked: String(decoding: text, as: UTF8.self)))
        }
    }
}
