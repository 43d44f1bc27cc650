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

    /// What a node holds; the values of arrays and objects are made when they are asked for, as most never are.
    enum Content: Sendable {
        case scalar(JSONValue)
        case array([JSONNode])
        /// The members, and whether one name is there more than once.
        case object([Member], hasDoubles: Bool)
    }

    /// The kind of a value, with the content of all but arrays and objects.
    public enum Shape: Sendable {
        /// `null`.
        case null
        /// `true` or `false`.
        case bool(Bool)
        /// A number, as it was written.
        case number(JSONNumber)
        /// A string.
        case string(String)
        /// An array: its values are `elements`.
        case array
        /// An object: its values are in `members`.
        case object
    }

    let content: Content
    /// Offset of the value's first byte, from the start of the text.
    public let offset: Int

    /// The value; that of an array or an object is made for each call.
    public var value: JSONValue {
        switch content {
        case .scalar(let value): value
        case .array(let elements): .array(elements.map(\.value))
        case .object(let members, _): .object(JSONObject(members.lazy.map { ($0.key, $0.node.value) }))
        }
    }

    /// The kind of the value.
    public var shape: Shape {
        switch content {
        case .array: .array
        case .object: .object
        case .scalar(let value):
            switch value {
            case .null: .null
            case .bool(let value): .bool(value)
            case .number(let value): .number(value)
            case .string(let value): .string(value)
            case .array: .array
            case .object: .object
            }
        }
    }

    /// True for an object.
    public var isObject: Bool {
        if case .object = content { true } else { false }
    }

    /// True for an array.
    public var isArray: Bool {
        if case .array = content { true } else { false }
    }

    /// True for `null`.
    public var isNull: Bool {
        if case .scalar(.null) = content { true } else { false }
    }

    /// The string, or nil when this is something else.
    public var string: String? {
        if case .scalar(.string(let text)) = content { text } else { nil }
    }

    /// The whole number, or nil when this is no number, has a fraction or does not fit.
    public var int: Int? {
        if case .scalar(.number(let number)) = content { number.int } else { nil }
    }

    /// The members of an object as they were written, those with one name more than once too; empty for other values.
    public var members: [Member] {
        if case .object(let members, _) = content { members } else { [] }
    }

    /// True for an object with one name more than once.
    public var hasDoubles: Bool {
        if case .object(_, let hasDoubles) = content { hasDoubles } else { false }
    }

    /// The elements of an array; empty for other values.
    public var elements: [JSONNode] {
        if case .array(let elements) = content { elements } else { [] }
    }

    init(content: Content, offset: Int) {
        (self.content, self.offset) = (content, offset)
    }

    /// A value that is read in the place of the one at `offset`, neither an array nor an object.
    public init(scalar value: JSONValue, at offset: Int) {
        (content, self.offset) = (.scalar(value), offset)
    }

    /// An array of these elements, read in the place of the one at `offset`.
    public init(elements: [JSONNode], at offset: Int) {
        (content, self.offset) = (.array(elements), offset)
    }

    /// An object of these members, read in the place of the one at `offset`.
    public init(members: [Member], at offset: Int) {
        (content, self.offset) = (.object(members, hasDoubles: Self.haveDoubles(members)), offset)
    }

    fileprivate static func haveDoubles(_ members: [Member]) -> Bool {
        if members.count > JSONObject.indexThreshold {
            return Set(members.lazy.map { MemberName(text: $0.key) }).count < members.count
        }
        return members.indices.contains { index in
            members[..<index].contains { sameBytes($0.key, members[index].key) }
        }
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
            return JSONNode(content: .scalar(try scanner.scalar()), offset: offset)
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
        return JSONNode(content: .array(elements), offset: offset)
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
        return JSONNode(content: .object(members, hasDoubles: JSONNode.haveDoubles(members)), offset: offset)
    }

    private mutating func member(depth: Int) throws(JSONError) -> JSONNode.Member {
        scanner.skipWhitespace()
        let offset = scanner.offset
        let key = try scanner.skipKey().string(in: scanner.bytes)
        return JSONNode.Member(key: key, keyOffset: offset, node: try node(depth: depth))
    }
}
