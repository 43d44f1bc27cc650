public import JSON

/// A value of a YAML file. A scalar keeps its text, so that `1.10` stays 1.10.
public indirect enum YAMLNode: Equatable, Sendable {
    /// A text; plain ones may mean a number, a boolean or nothing.
    case scalar(String, isPlain: Bool)
    /// A list.
    case sequence([YAMLNode])
    /// Keys and values in their order.
    case mapping([Member])

    /// A key with its value.
    public struct Member: Equatable, Sendable {
        /// The key.
        public var key: String
        /// The value.
        public var value: YAMLNode
    }

    /// Reads a file: one document of the subset that Docs/ComingFrom.md names.
    ///
    /// - Throws: `MigrationError` with the line.
    public init(bytes: [UInt8]) throws(MigrationError) {
        var parser = YAMLParser(lines: try YAMLLine.lines(bytes))
        self = try parser.document()
    }

    static let nothing = YAMLNode.scalar("", isPlain: true)

    /// True for `null`, `~` and an empty value.
    var isNull: Bool {
        guard case .scalar(let text, true) = self else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a scalar; nil for null.
    var text: String? {
        guard case .scalar(let text, _) = self, !isNull else { return nil }
        return text
    }

    var bool: Bool? {
        guard case .scalar(let text, true) = self else { return nil }
        return ["true", "True", "TRUE"].contains(text)
            ? true : ["false", "False", "FALSE"].contains(text) ? false : nil
    }

    var members: [Member]? { if case .mapping(let members) = self { members } else { nil } }
    var elements: [YAMLNode]? { if case .sequence(let elements) = self { elements } else { nil } }

    subscript(_ key: String) -> YAMLNode? { members?.last { $0.key == key }?.value }

    /// The same as JSON, with the types of YAML's core schema.
    public var json: JSONValue {
        switch self {
        case .sequence(let elements): return .array(elements.map(\.json))
        case .mapping(let members): return .object(JSONObject(members.map { ($0.key, $0.value.json) }))
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            if isNull { return .null }
            if let bool { return .bool(bool) }
            let isNumber = text.utf8.first.map { $0 == UInt8(ascii: "-") || $0 &- UInt8(ascii: "0") <= 9 } ?? false
            // What is no number of JSON is a text.
            if isNumber, case .number(let number)? = try? JSONValue(parsing: text) { return .number(number) }
            return .string(text)
        }
    }

    /// Number of values in it.
    var size: Int {
        switch self {
        case .scalar: 1
        case .sequence(let elements): elements.reduce(1) { $0 + $1.size }
        case .mapping(let members): members.reduce(1) { $0 + $1.value.size }
        }
    }
}

/// A line of a YAML file.
struct YAMLLine {
    var indent: Int
    /// The text behind the indentation, with its comment.
    var text: String
    var number: Int
    /// The whole line, for block scalars.
    var raw: String

    static func lines(_ bytes: [UInt8]) throws(MigrationError) -> [YAMLLine] {
        try bytes.textLines().enumerated().map { index, raw in
            let text = raw.drop { $0 == " " }
            return YAMLLine(
                indent: raw.utf8.count - text.utf8.count, text: String(text), number: index + 1, raw: raw)
        }
    }

    /// True for lines that a block collection skips.
    var isBlank: Bool { text.trimmed.isEmpty || text.hasPrefix("#") }
}
