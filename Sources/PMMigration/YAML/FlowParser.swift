/// Reads one value in brackets or quotes.
struct FlowParser {
    private var bytes: ArraySlice<UInt8>
    private let line: Int
    private let anchors: [String: YAMLNode]

    init(_ text: String, line: Int, anchors: [String: YAMLNode]) {
        bytes = Array(text.utf8)[...]
        self.line = line
        self.anchors = anchors
    }

    /// What has not been read.
    var rest: String { String(decoding: bytes, as: UTF8.self) }

    /// The value; nil when it is not complete.
    ///
    /// - Throws: `MigrationError` when it never can be.
    mutating func value(depth: Int = 0) throws(MigrationError) -> YAMLNode? {
        guard depth < 64 else { throw MigrationError("more than 64 levels", line: line) }
        skipBlank()
        switch bytes.first {
        case UInt8(ascii: "["): return try sequence(depth)
        case UInt8(ascii: "{"): return try mapping(depth)
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard let text = try quoted() else { return nil }
            return .scalar(text, isPlain: false)
        case nil: return nil
        default: return try plain()
        }
    }

    private mutating func skipBlank() {
        bytes = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") }
    }

    private mutating func plain() throws(MigrationError) -> YAMLNode? {
        let start = bytes
        while let byte = bytes.first, !",[]{}".utf8.contains(byte) {
            if byte == UInt8(ascii: ":") {
                let after = bytes.dropFirst().first
                if after.map({ " ,]}\n".utf8.contains($0) }) ?? true { break }
            }
            if byte == UInt8(ascii: "#"), start.startIndex < bytes.startIndex,
                bytes.first != nil, start[bytes.startIndex - 1] == UInt8(ascii: " ")
            {
                throw MigrationError("a comment within brackets is not supported", line: line)
            }
            bytes.removeFirst()
        }
        let text = String(decoding: start[start.startIndex..<bytes.startIndex], as: UTF8.self).trimmed
        if text.hasPrefix("*") {
            guard let node = anchors[String(text.dropFirst())] else {
                throw MigrationError("there is no anchor &\(text.dropFirst()) before", line: line)
            }
            return node
        }
        if let first = text.first, "&!|>%@`".contains(first) {
            throw MigrationError("\(first) within brackets is not supported", line: line)
        }
        return .scalar(text, isPlain: true)
    }

    private mutating func sequence(_ depth: Int) throws(MigrationError) -> YAMLNode? {
        bytes.removeFirst()
        var elements: [YAMLNode] = []
        while true {
            skipBlank()
            guard let byte = bytes.first else { return nil }
            if byte == UInt8(ascii: "]") {
                bytes.removeFirst()
                return .sequence(elements)
            }
            guard let element = try value(depth: depth + 1) else { return nil }
            elements.append(element)
            guard elements.count <= 10_000 else { throw MigrationError("more than 10,000 values", line: line) }
            guard try separator(UInt8(ascii: "]")) else { return nil }
        }
    }

    private mutating func mapping(_ depth: Int) throws(MigrationError) -> YAMLNode? {
        bytes.removeFirst()
        var members: [YAMLNode.Member] = []
        while true {
            skipBlank()
            guard let byte = bytes.first else { return nil }
            if byte == UInt8(ascii: "}") {
                bytes.removeFirst()
                return .mapping(members)
            }
            guard let key = try value(depth: depth + 1) else { return nil }
            guard case .scalar(let name, _) = key else { throw MigrationError("a key is no text", line: line) }
            guard !members.contains(where: { $0.key == name }), members.count < 10_000 else {
                throw MigrationError("the key \(name) is there twice", line: line)
            }
            if name == "<<" { throw MigrationError("<< within brackets is not supported", line: line) }
            skipBlank()
            guard let mark = bytes.first else { return nil }
            var value = YAMLNode.nothing
            if mark == UInt8(ascii: ":") {
                bytes.removeFirst()
                skipBlank()
                guard let first = bytes.first else { return nil }
                if first != UInt8(ascii: ","), first != UInt8(ascii: "}") {
                    guard let read = try self.value(depth: depth + 1) else { return nil }
                    value = read
                }
            }
            members.append(.init(key: name, value: value))
            guard try separator(UInt8(ascii: "}")) else { return nil }
        }
    }

    /// Reads a comma, unless the end follows; false when the text ends.
    private mutating func separator(_ end: UInt8) throws(MigrationError) -> Bool {
        skipBlank()
        guard let byte = bytes.first else { return false }
        if byte == UInt8(ascii: ",") {
            bytes.removeFirst()
        } else if byte != end {
            throw MigrationError("expected , or \(Character(Unicode.Scalar(end)))", line: line)
        }
        return true
    }

    /// A text in quotes; nil when it goes on in the next line.
    ///
    /// - Throws: `MigrationError` for a wrong escape.
    mutating func quoted() throws(MigrationError) -> String? {
        guard let quote = bytes.popFirst() else { return nil }
        var text: [UInt8] = []
        while let byte = bytes.popFirst() {
            if byte == quote {
                if quote == UInt8(ascii: "'"), bytes.first == quote {
                    text.append(byte)
                    bytes.removeFirst()
                    continue
                }
                return String(decoding: text, as: UTF8.self)
            }
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") else {
                text.append(byte)
                continue
            }
            guard let escaped = bytes.popFirst() else { return nil }
            text += try escape(escaped)
        }
        return nil
    }

    private mutating func escape(_ byte: UInt8) throws(MigrationError) -> [UInt8] {
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "0"): 0, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9,
            UInt8(ascii: "n"): 10, UInt8(ascii: "v"): 11, UInt8(ascii: "f"): 12, UInt8(ascii: "r"): 13,
            UInt8(ascii: "e"): 27, UInt8(ascii: " "): 32, UInt8(ascii: "\""): 34, UInt8(ascii: "/"): 47,
            UInt8(ascii: "\\"): 92,
        ]
        if let value = simple[byte] { return [value] }
        let digits: [UInt8: Int] = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]
        guard let count = digits[byte], bytes.count >= count,
            let number = UInt32(String(decoding: bytes.prefix(count), as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(number)
        else { throw MigrationError("a wrong escape in a text", line: line) }
        bytes = bytes.dropFirst(count)
        return Array(String(Character(scalar)).utf8)
    }
}
