internal import JSON

/// Layout of a JSON text, so that added text looks like the rest.
struct JSONStyle: Equatable {
    /// One step of indentation.
    var indent = "  "
    /// The line end of the text: `\n`, or `\r\n`.
    var newline = "\n"
    /// True when the whole text is on one line, without blanks.
    var isCompact = false

    init() {}

    /// The style of a text: the indentation of its first indented line, its first line end.
    init(of bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            // One line with blanks after its commas and colons is no machine's.
            isCompact = !bytes.contains(UInt8(ascii: " ")) && bytes.count > 2
            return
        }
        if end > 0, bytes[end - 1] == UInt8(ascii: "\r") { newline = "\r\n" }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            let blanks = line.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard !blanks.isEmpty, blanks.count < line.count, line[blanks.endIndex] == UInt8(ascii: "\"") else {
                continue
            }
            indent = String(decoding: blanks, as: UTF8.self)
            return
        }
    }

    /// The value as text that stands behind `margin` on its first line.
    func text(_ value: JSONValue, margin: String) -> String {
        if isCompact { return value.text }
        switch value {
        case .null, .bool, .number, .string: return value.text
        case .array(let elements):
            // A list of words reads best on one line, and that is how people write them.
            if elements.allSatisfy(\.isScalar) { return "[" + elements.map(\.text).joined(separator: ", ") + "]" }
            return block("[", elements.map { text($0, margin: margin + indent) }, "]", margin)
        case .object(let object):
            if object.isEmpty { return "{}" }
            return block("{", object.map { member($0.key, $0.value, margin: margin + indent) }, "}", margin)
        }
    }

    /// Text of a member: `"key": value`.
    func member(_ key: String, _ value: JSONValue, margin: String) -> String {
        JSONValue.string(key).text + (isCompact ? ":" : ": ") + text(value, margin: margin)
    }

    private func block(_ open: String, _ lines: [String], _ close: String, _ margin: String) -> String {
        open + newline + lines.map { margin + indent + $0 }.joined(separator: "," + newline) + newline + margin + close
    }
}

extension JSONValue {
    fileprivate var isScalar: Bool {
        switch self {
        case .null, .bool, .number, .string: true
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty
        }
    }
}
