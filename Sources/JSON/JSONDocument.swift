/// A JSON text with the place of each of its values, so that an error can name file, line and column.
public struct JSONDocument: Sendable {
    /// The outermost value.
    public let root: JSONNode
    /// The text as it was read.
    public let bytes: [UInt8]

    /// Reads one JSON text (RFC 8259, UTF-8). Throws where it is not JSON.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        root = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> JSONNode in
            var parser = JSONNodeParser(scanner: JSONScanner(UnsafeRawBufferPointer(buffer)))
            return try parser.document()
        }
    }

    /// Line and column of the byte `offset`.
    public func position(of offset: Int) -> JSONPosition {
        bytes.withUnsafeBytes { JSONPosition(offset: offset, in: $0) }
    }

    /// An error about the value or name at `offset`, such as "line 3, column 7: no such runtime".
    public func error(_ reason: String, at offset: Int) -> JSONError {
        bytes.withUnsafeBytes { JSONError(reason, at: offset, in: $0) }
    }
}

/// One value of a document and its place in the text.
public struct JSONNode: Sendable {
    /// A member of an object.
    public struct Member: Sendable {
        /// The name.
        public let key: String
        /// Offset of the name's opening quote, in bytes from the start of the text.
        public let keyOffset: Int
        /// The value.
        public let node: JSONNode

        /// The same member with another value.
        public func with(_ node: JSONNode) -> Member { Member(key: key, keyOffset: keyOffset, node: node) }
    }

    /// The value.
    public let value: JSONValue
    /// Offset of the value's first byte, from the start of the text.
    public let offset: Int
    /// The members of an object as they were written, those with one name more than once too; empty for other values.
    public let members: [Member]
    /// The elements of an array; empty for other values.
    public let elements: [JSONNode]

    /// A value that is read in the place of the one at `offset`, neither an array nor an object.
    public init(scalar value: JSONValue, at offset: Int) {
        (self.value, self.offset, members, elements) = (value, offset, [], [])
    }

    /// An array of these elements, read in the place of the one at `offset`.
    public init(elements: [JSONNode], at offset: Int) {
        value = .array(elements.map(\.value))
        (self.offset, members, self.elements) = (offset, [], elements)
    }

    /// An object of these members, read in the place of the one at `offset`.
    public init(members: [Member], at offset: Int) {
        value = .object(JSONObject(members.lazy.map { ($0.key, $0.node.value) }))
        (self.offset, self.members, elements) = (offset, members, [])
    }

    /// The node of the member of that name (of two, the later), or nil.
    public subscript(key: String) -> JSONNode? {
        member(key)?.node
    }

    /// The node at that place of an array, or nil.
    public subscript(index: Int) -> JSONNode? {
        elements.indices.contains(index) ? elements[index] : nil
    }

    /// The member of that name (of two, the later), or nil.
    public func member(_ key: String) -> Member? {
        members.last { sameBytes($0.key, key) }
    }
}

/// Builds nodes from what the scanner accepts.
private struct JSONNodeParser {
    var scanner: JSONScanner

    mutating func document() throws(JSONError) -> JSONNode {
        try scanner.refuseByteOrderMark()
        let node = try node(depth: 0)
        try scanner.expectEnd()
        return node
    }

    private mutating func node(depth: Int) throws(JSONError) -> JSONNode {
        scanner.skipWhitespace()
        switch scanner.next {
        case Byte.leftBrace: return try object(depth: depth + 1)
        case Byte.leftBracket: return try array(depth: depth + 1)
        default:
            let offset = scanner.offset
            return JSONNode(scalar: try scanner.scalar(), at: offset)
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONNode {
        let offset = scanner.offset
        var elements: [JSONNode] = []
        try scanner.enter(depth)
        if !scanner.skip(Byte.rightBracket) {
            repeat {
                elements.append(try node(depth: depth))
            } while try scanner.continues(until: Byte.rightBracket)
        }
        return JSONNode(elements: elements, at: offset)
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONNode {
        let offset = scanner.offset
        var members: [JSONNode.Member] = []
        try scanner.enter(depth)
        if !scanner.skip(Byte.rightBrace) {
            repeat {
                members.append(try member(depth: depth))
            } while try scanner.continues(until: Byte.rightBrace)
        }
        return JSONNode(members: members, at: offset)
    }

    private mutating func member(depth: Int) throws(JSONError) -> JSONNode.Member {
        scanner.skipWhitespace()
        let offset = scanner.offset
        let key = try scanner.skipKey().string(in: scanner.bytes)
        return JSONNode.Member(key: key, keyOffset: offset, node: try node(depth: depth))
    }
}
