extension JSONValue {
    /// The value as compact JSON in UTF-8.
    public func serialized() -> [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// The value as JavaScript's `JSON.stringify(value, null, indent)` writes it, without a line end after it.
    public func serialized(indent: String) -> [UInt8] {
        guard !indent.isEmpty else { return serialized() }
        var writer = IndentingWriter(indent: Array(indent.utf8))
        writer.write(self, level: 0)
        return writer.output
    }

    /// The value as compact JSON.
    public var text: String { String(decoding: serialized(), as: UTF8.self) }

    /// Appends the value as compact JSON in UTF-8.
    public func append(to output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): output.append(contentsOf: value.text.utf8)
        case .string(let value): appendJSONString(value, to: &output)
        case .array(let elements): Self.append(elements, to: &output)
        case .object(let object): object.append(to: &output)
        }
    }

    private static func append(_ elements: [JSONValue], to output: inout [UInt8]) {
        output.append(Byte.leftBracket)
        var isFirst = true
        for element in elements {
            if !isFirst { output.append(Byte.comma) }
            isFirst = false
            element.append(to: &output)
        }
        output.append(Byte.rightBracket)
    }
}

extension JSONObject {
    /// Appends the object as compact JSON in UTF-8.
    public func append(to output: inout [UInt8]) {
        output.append(Byte.leftBrace)
        var isFirst = true
        for member in members {
            if !isFirst { output.append(Byte.comma) }
            isFirst = false
            appendJSONString(member.key, to: &output)
            output.append(Byte.colon)
            member.value.append(to: &output)
        }
        output.append(Byte.rightBrace)
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON.
    public var description: String { text }
}

/// Writes one member or element a line, as JavaScript does.
private struct IndentingWriter {
    let indent: [UInt8]
    var output: [UInt8] = []

    init(indent: [UInt8]) {
        self.indent = indent
    }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null, .bool, .number, .string: value.append(to: &output)
        case .array(let elements): write(elements, level: level)
        case .object(let object): write(object, level: level)
        }
    }

    private mutating func write(_ elements: [JSONValue], level: Int) {
        output.append(Byte.leftBracket)
        for (place, element) in elements.enumerated() {
            startLine(level + 1, isFirst: place == 0)
            write(element, level: level + 1)
        }
        if !elements.isEmpty { startLine(level, isFirst: true) }
        output.append(Byte.rightBracket)
    }

    private mutating func write(_ object: JSONObject, level: Int) {
        output.append(Byte.leftBrace)
        for (place, member) in object.members.enumerated() {
            startLine(level + 1, isFirst: place == 0)
            appendJSONString(member.key, to: &output)
            output.append(Byte.colon)
            output.append(Byte.space)
            write(member.value, level: level + 1)
        }
        if !object.isEmpty { startLine(level, isFirst: true) }
        output.append(Byte.rightBrace)
    }

    private mutating func startLine(_ level: Int, isFirst: Bool) {
        if !isFirst { output.append(Byte.comma) }
        output.append(Byte.newline)
        for _ in 0..<level { output.append(contentsOf: indent) }
    }
}

/// Appends `string` in double quotes, escaped as JavaScript's `JSON.stringify` does.
public func appendJSONString(_ string: String, to output: inout [UInt8]) {
    var string = string
    output.append(Byte.quote)
    string.withUTF8 { appendEscaped($0, to: &output) }
    output.append(Byte.quote)
}

extension String {
    /// The text as JSON writes it, without the quotation marks around it.
    public var escapedForJSON: String {
        var bytes: [UInt8] = []
        appendJSONString(self, to: &bytes)
        return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
    }
}

/// Copies runs that need no escape at once.
private func appendEscaped(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    var runStart = 0
    for place in bytes.indices {
        let byte = bytes[place]
        guard byte < 0x20 || byte == Byte.quote || byte == Byte.backslash else { continue }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[runStart..<place]))
        appendEscape(of: byte, to: &output)
        runStart = place + 1
    }
    output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[runStart...]))
}

private func appendEscape(of byte: UInt8, to output: inout [UInt8]) {
    output.append(Byte.backslash)
    switch byte {
    case Byte.quote, Byte.backslash: output.append(byte)
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case Byte.newline: output.append(UInt8(ascii: "n"))
    case Byte.carriageReturn: output.append(UInt8(ascii: "r"))
    case Byte.tab: output.append(UInt8(ascii: "t"))
    default:
        output.append(contentsOf: byte < 0x10 ? "u000".utf8 : "u001".utf8)
        let digit = byte & 0xF
        output.append(digit < 10 ? Byte.zero + digit : UInt8(ascii: "a") + digit - 10)
    }
}
