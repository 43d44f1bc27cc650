/// Replaces `${NAME}` and the like in the texts of a Compose file.
struct ComposeInterpolation {
    /// Values: those of the caller, then those of `.env`.
    let variables: [String: String]
    /// Names that have no value and no default.
    private(set) var unset: [String] = []
    private var depth = 0

    init(_ context: MigrationContext) {
        variables = context.dotenv.merging(context.environment) { $1 }
    }

    /// The tree with all values replaced; keys stay.
    ///
    /// - Throws: `MigrationError` for a wrong form and for `${NAME:?message}`.
    mutating func replaced(_ node: YAMLNode) throws(MigrationError) -> YAMLNode {
        switch node {
        case .scalar(let text, let isPlain):
            guard text.contains("$") else { return node }
            return .scalar(try replaced(text), isPlain: isPlain)
        case .sequence(let elements):
            var all: [YAMLNode] = []
            for element in elements { all.append(try replaced(element)) }
            return .sequence(all)
        case .mapping(let members):
            var all: [YAMLNode.Member] = []
            for member in members { all.append(.init(key: member.key, value: try replaced(member.value))) }
            return .mapping(all)
        }
    }

    /// A text with its variables replaced; `$$` is a `$`.
    ///
    /// - Throws: as for a tree.
    mutating func replaced(_ text: String) throws(MigrationError) -> String {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 16 else { throw MigrationError("more than 16 variables within each other: \(text)") }
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$") else {
                result.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "$") {
                rest.removeFirst()
                result.append(byte)
            } else if rest.first == UInt8(ascii: "{") {
                guard let end = Self.end(of: rest) else { throw MigrationError("a ${ is not closed: \(text)") }
                result += Array(try value(of: rest[(rest.startIndex + 1)..<end], text).utf8)
                rest = rest[(end + 1)...]
            } else {
                let name = Self.name(rest)
                guard !name.isEmpty else { throw MigrationError("expected a name behind $, or $$: \(text)") }
                rest = rest.dropFirst(name.count)
                result += Array(plain(String(decoding: name, as: UTF8.self)).utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The closing bracket that belongs to the first one.
    private static func end(of bytes: ArraySlice<UInt8>) -> Int? {
        var level = 0
        for index in bytes.indices {
            if bytes[index] == UInt8(ascii: "{") { level += 1 }
            if bytes[index] == UInt8(ascii: "}") { level -= 1 }
            if level == 0 { return index }
        }
        return nil
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var isFirst = true
        return bytes.prefix { byte in
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            let isLetter = (byte | 0x20) &- UInt8(ascii: "a") <= 25 || byte == UInt8(ascii: "_")
            defer { isFirst = false }
            return isLetter || (isDigit && !isFirst)
        }
    }

    private mutating func plain(_ name: String) -> String {
        if let value = variables[name] { return value }
        if !unset.contains(name) { unset.append(name) }
        return ""
    }

    private mutating func value(of inner: ArraySlice<UInt8>, _ text: String) throws(MigrationError) -> String {
        let bytes = Self.name(inner)
        let name = String(decoding: bytes, as: UTF8.self)
        let rest = String(decoding: inner.dropFirst(bytes.count), as: UTF8.self)
        guard !name.isEmpty else { throw MigrationError("a ${ has no name: \(text)") }
        if rest.isEmpty { return plain(name) }
        let countsEmpty = rest.hasPrefix(":")
        let form = rest.drop { $0 == ":" }
        let word = String(form.dropFirst())
        let known = variables[name].flatMap { countsEmpty && $0.isEmpty ? nil : $0 }
        switch form.first {
        case "-":
            if let known { return known }
            return try replaced(word)
        case "+": return known == nil ? "" : try replaced(word)
        case "?":
            guard let known else { throw MigrationError("\(name) has no value: \(word)") }
            return known
        default: throw MigrationError("unknown form ${\(name)\(rest)}")
        }
    }
}
