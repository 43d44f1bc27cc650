import JSON

/// Offsets of the members of one message in its line. Of two members with one name the later counts.
struct Envelope {
    /// The kind of message, known from its members.
    enum Shape {
        case object, array, scalar
    }

    /// A member's value; absent while empty, which no value is.
    struct ByteSpan {
        var start = 0
        var end = 0

        @inline(__always) var isPresent: Bool { end > start }
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var shape = Shape.object
    var jsonrpc = ByteSpan()
    var id = ByteSpan()
    var method = ByteSpan()
    var params = ByteSpan()
    var result = ByteSpan()
    var error = ByteSpan()
    var stream = ByteSpan()
    /// True when `method` has escapes.
    var methodHasEscapes = false

    /// Scans a line; throws unless it is exactly one JSON value.
    init(_ line: UnsafeRawBufferPointer) throws(JSONError) {
        bytes = line
        var scanner = JSONScanner(line)
        try scanner.refuseByteOrderMark()
        if scanner.skip(UInt8(ascii: "{")) {
            try scanMembers(&scanner)
        } else {
            shape = scanner.next == UInt8(ascii: "[") ? .array : .scalar
            _ = try scanner.skipValue()
        }
        try scanner.expectEnd()
    }

    private mutating func scanMembers(_ scanner: inout JSONScanner) throws(JSONError) {
        if scanner.skip(UInt8(ascii: "}")) { return }
        repeat {
            let key = try scanner.skipKey()
            try scanMember(key, &scanner)
        } while try scanner.continues(until: UInt8(ascii: "}"))
    }

    /// The value's bytes, or nil when the member is absent.
    @inline(__always)
    func raw(_ place: ByteSpan) -> UnsafeRawBufferPointer? {
        place.isPresent ? UnsafeRawBufferPointer(rebasing: bytes[place.start..<place.end]) : nil
    }

    private mutating func scanMember(_ key: JSONStringToken, _ scanner: inout JSONScanner) throws(JSONError) {
        scanner.skipWhitespace()
        if scanner.next == UInt8(ascii: "\"") {
            let start = scanner.offset
            let token = try scanner.skipString()
            let member = set(key, ByteSpan(start: start, end: scanner.offset))
            if member == .method { methodHasEscapes = token.hasEscapes }
        } else {
            let range = try scanner.skipValue()
            _ = set(key, ByteSpan(start: range.lowerBound, end: range.upperBound))
        }
    }

    private enum Member {
        case jsonrpc, id, method, params, result, error, stream, unknown
    }

    private mutating func set(_ key: JSONStringToken, _ place: ByteSpan) -> Member {
        let member = key.hasEscapes ? decodedMember(key) : member(key.range)
        switch member {
        case .jsonrpc: jsonrpc = place
        case .id: id = place
        case .method: method = place
        case .params: params = place
        case .result: result = place
        case .error: error = place
        case .stream: stream = place
        case .unknown: break
        }
        return member
    }

    private func member(_ range: Range<Int>) -> Member {
        Self.member(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    private static func member(_ name: UnsafeRawBufferPointer) -> Member {
        // The first letter leaves one to compare with.
        let (text, member): (StaticString, Member) =
            switch name.first {
            case UInt8(ascii: "i"): ("id", .id)
            case UInt8(ascii: "j"): ("jsonrpc", .jsonrpc)
            case UInt8(ascii: "m"): ("method", .method)
            case UInt8(ascii: "p"): ("params", .params)
            case UInt8(ascii: "r"): ("result", .result)
            case UInt8(ascii: "e"): ("error", .error)
            case UInt8(ascii: "s"): ("stream", .stream)
            default: ("", .unknown)
            }
        return isText(name, text) ? member : .unknown
    }

    /// `"\u0069d"` is `"id"` too.
    private func decodedMember(_ key: JSONStringToken) -> Member {
        var name = key.string(in: bytes)
        return name.withUTF8 { Self.member(UnsafeRawBufferPointer($0)) }
    }
}
