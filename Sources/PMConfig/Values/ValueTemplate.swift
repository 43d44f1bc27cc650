/// A text of the configuration with variables in it: `http://${HOST}:${PORT:-8080}/`.
///
/// It is read from left to right, once: what a variable or a default gives is not looked at again. A `$` means itself
/// unless `{` follows. In a row of `$` before `{`, each two stand for one, and a single one that is left begins a variable.
public struct ValueTemplate: Equatable, Sendable {
    /// A piece of a text.
    enum Part: Equatable, Sendable {
        /// Text that stands for itself.
        case text(String)
        /// The value of a variable; `offset` is that of its `$` in the text, in bytes.
        case variable(name: String, fallback: String?, offset: Int)
    }

    /// A text that does not keep to the grammar.
    struct Fault: Error, Equatable {
        /// Description of the fault.
        let reason: String
        /// The place in the text, in bytes.
        let offset: Int
    }

    /// The pieces, in their order.
    let parts: [Part]

    /// The only variable, if the text is nothing else: such a text may stand for a number or a boolean.
    var isOneVariable: Bool {
        guard parts.count == 1, case .variable = parts[0] else { return false }
        return true
    }

    /// True when the text holds something that its author has written out, also as a default.
    var isLiteral: Bool {
        parts.contains { part in
            switch part {
            case .text(let text): !text.isEmpty
            case .variable(_, let fallback, _): !(fallback ?? "").isEmpty
            }
        }
    }

    /// Reads a text; nil: there is nothing in it to replace, and it stands for itself.
    init?(_ text: String) throws(Fault) {
        guard Self.mayHaveParts(text) else { return nil }
        var reader = TemplateReader(Array(text.utf8))
        parts = try reader.parts()
    }

    /// The text that reads as `text`, whatever is in it: what pm writes.
    public static func escaped(_ text: String) -> String {
        guard mayHaveParts(text) else { return text }
        var result: [UInt8] = []
        var dollars = 0
        for byte in text.utf8 {
            if byte == TemplateReader.brace { result += repeatElement(TemplateReader.dollar, count: dollars) }
            dollars = byte == TemplateReader.dollar ? dollars + 1 : 0
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func mayHaveParts(_ text: String) -> Bool {
        var last: UInt8 = 0
        for byte in text.utf8 {
            if byte == TemplateReader.brace, last == TemplateReader.dollar { return true }
            last = byte
        }
        return false
    }

    /// The text with the values of its variables.
    ///
    /// - Throws: the first variable that has no value and no default.
    func filled(_ values: [String: String]) throws(Unset) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .variable(let name, let fallback, let offset):
                let value = values[name]
                // As in shells: with a default, an empty variable counts as one that is not set.
                if let fallback {
                    result += value.flatMap { $0.isEmpty ? nil : $0 } ?? fallback
                } else if let value {
                    result += value
                } else {
                    throw Unset(name: name, offset: offset)
                }
            }
        }
        return result
    }

    /// A variable that has no value.
    struct Unset: Error, Equatable {
        /// The variable.
        let name: String
        /// The place of its `$` in the text, in bytes.
        let offset: Int
    }
}

private struct TemplateReader {
    static let dollar = UInt8(ascii: "$"), brace = UInt8(ascii: "{")

    private let bytes: [UInt8]
    private var offset = 0
    private var text: [UInt8] = []
    private var found: [ValueTemplate.Part] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func parts() throws(ValueTemplate.Fault) -> [ValueTemplate.Part] {
        while offset < bytes.count {
            guard bytes[offset] == Self.dollar else {
                text.append(bytes[offset])
                offset += 1
                continue
            }
            let start = offset
            while offset < bytes.count, bytes[offset] == Self.dollar { offset += 1 }
            let count = offset - start
            guard offset < bytes.count, bytes[offset] == Self.brace else {
                text += bytes[start..<offset]
                continue
            }
            text += repeatElement(Self.dollar, count: count / 2)
            if count % 2 == 1 { try variable(at: offset - 1) }
        }
        endText()
        return found
    }

    private mutating func endText() {
        if !text.isEmpty { found.append(.text(string(text[...]))) }
        text = []
    }

    /// From the `{` to the `}`.
    private mutating func variable(at start: Int) throws(ValueTemplate.Fault) {
        endText()
        offset += 1
        let nameStart = offset
        while let byte = next, Self.isOfName(byte, isFirst: offset == nameStart) { offset += 1 }
        let name = string(bytes[nameStart..<offset])
        guard !name.isEmpty else { throw fault("the name of a variable was expected after \"${\"", start) }
        var fallback: String?
        if next == UInt8(ascii: ":"), offset + 1 < bytes.count, bytes[offset + 1] == UInt8(ascii: "-") {
            offset += 2
            fallback = try self.fallback(name, start)
        }
        guard next == UInt8(ascii: "}") else {
            throw fault("\"}\" or \":-\" was expected after \"${\(name)\"", start)
        }
        offset += 1
        found.append(.variable(name: name, fallback: fallback, offset: start))
    }

    private mutating func fallback(_ name: String, _ start: Int) throws(ValueTemplate.Fault) -> String {
        let first = offset
        while let byte = next, byte != UInt8(ascii: "}") {
            if byte == Self.brace, offset > first, bytes[offset - 1] == Self.dollar {
                throw fault("the default of \(name) has a variable in it, which pm does not replace", start)
            }
            offset += 1
        }
        return string(bytes[first..<offset])
    }

    private static func isOfName(_ byte: UInt8, isFirst: Bool) -> Bool {
        let isLetter = (byte | 0x20) &- UInt8(ascii: "a") <= 25 || byte == UInt8(ascii: "_")
        return isLetter || (!isFirst && byte &- UInt8(ascii: "0") <= 9)
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }
    private func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
    private func fault(_ reason: String, _ offset: Int) -> ValueTemplate.Fault { .init(reason: reason, offset: offset) }
}
