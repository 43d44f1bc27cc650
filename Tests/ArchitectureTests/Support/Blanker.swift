/// Replaces comments and the content of literals by spaces. Line breaks stay, and so does every offset.
struct Blanker {
    private var bytes: [UInt8]
    private let language: Code.Language
    private var at = 0

    init(_ bytes: [UInt8], _ language: Code.Language) {
        self.bytes = bytes
        self.language = language
    }

    mutating func blanked() -> [UInt8] {
        code(until: nil)
        return bytes
    }

    /// Code up to the bracket that closes it (that of an interpolation), or to the end.
    private mutating func code(until close: UInt8?) {
        let open: UInt8 = close == UInt8(ascii: "}") ? UInt8(ascii: "{") : UInt8(ascii: "(")
        var depth = 0
        while at < bytes.count {
            if skipLiteral() { continue }
            if bytes[at] == open { depth += 1 }
            if bytes[at] == close {
                if depth == 0 { return }
                depth -= 1
            }
            at += 1
        }
    }

    private mutating func skipLiteral() -> Bool {
        switch bytes[at] {
        case UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "#"): break
        default: return false
        }
        if has("//") || (has("#!") && at == 0) { return skipLine() }
        if has("/*") { return skipBlock() }
        switch language {
        case .swift: return skipSwift()
        case .c: return skipQuoted(["\"", "'"])
        case .javaScript: return skipTemplate() || skipQuoted(["\"", "'"]) || skipRegex()
        }
    }

    private func has(_ text: StaticString, from offset: Int? = nil) -> Bool {
        let start = offset ?? at
        guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
        return text.withUTF8Buffer { $0.elementsEqual(bytes[start..<(start + $0.count)]) }
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where at < bytes.count {
            if bytes[at] != .newline { bytes[at] = 0x20 }
            at += 1
        }
    }

    private mutating func skipLine() -> Bool {
        while at < bytes.count, bytes[at] != .newline { blank() }
        return true
    }

    private mutating func skipBlock() -> Bool {
        var depth = 0
        repeat {
            if has("/*"), language == .swift || depth == 0 {
                depth += 1
                blank(2)
            } else if has("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && at < bytes.count
        return true
    }

    /// Quoted on one line, with backslash escapes. The quotes stay.
    private mutating func skipQuoted(_ quotes: [Character]) -> Bool {
        guard let quote = quotes.compactMap(\.asciiValue).first(where: { $0 == bytes[at] }) else { return false }
        at += 1
        while at < bytes.count, bytes[at] != quote, bytes[at] != .newline {
            blank(bytes[at] == UInt8(ascii: "\\") ? 2 : 1)
        }
        at += 1
        return true
    }

    private mutating func skipTemplate() -> Bool {
        guard bytes[at] == UInt8(ascii: "`") else { return false }
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "`") {
            if has("${") {
                blank(2)
                code(until: UInt8(ascii: "}"))
                blank()
            } else {
                blank(bytes[at] == UInt8(ascii: "\\") ? 2 : 1)
            }
        }
        at += 1
        return true
    }

    /// A slash begins a regular expression where a value cannot have ended.
    private mutating func skipRegex() -> Bool {
        guard bytes[at] == UInt8(ascii: "/"), !endsValue(bytes[..<at].last { !$0.isSpace }) else { return false }
        var inClass = false
        at += 1
        while at < bytes.count, bytes[at] != .newline, inClass || bytes[at] != UInt8(ascii: "/") {
            if bytes[at] == UInt8(ascii: "[") { inClass = true }
            if bytes[at] == UInt8(ascii: "]") { inClass = false }
            blank(bytes[at] == UInt8(ascii: "\\") ? 2 : 1)
        }
        at += 1
        return true
    }

    private func endsValue(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte.isWord || byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
            || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
    }

    private mutating func skipSwift() -> Bool {
        if bytes[at] == UInt8(ascii: "`") { return skipRawIdentifier() }
        var hashes = 0
        while at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "\"") else { return false }
        at += hashes
        skipSwiftString(hashes)
        return true
    }

    /// A name in backticks is one word, whatever it says.
    private mutating func skipRawIdentifier() -> Bool {
        repeat {
            bytes[at] = UInt8(ascii: "_")
            at += 1
        } while at < bytes.count && bytes[at] != UInt8(ascii: "`") && bytes[at] != .newline
        if at < bytes.count, bytes[at] != .newline { bytes[at] = UInt8(ascii: "_") }
        at += 1
        return true
    }

    private mutating func skipSwiftString(_ hashes: Int) {
        let isBlock = has("\"\"\"")
        let quotes = isBlock ? 3 : 1
        at += quotes
        while at < bytes.count, isBlock || bytes[at] != .newline {
            if closes(quotes, hashes) {
                at += quotes + hashes
                return
            }
            if isEscape(hashes) {
                blank(1 + hashes)
                interpolationOrEscape()
            } else {
                blank()
            }
        }
    }

    private func closes(_ quotes: Int, _ hashes: Int) -> Bool {
        let end = at + quotes + hashes
        guard end <= bytes.count, bytes[at..<(at + quotes)].allSatisfy({ $0 == UInt8(ascii: "\"") }) else {
            return false
        }
        return bytes[(at + quotes)..<end].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    private func isEscape(_ hashes: Int) -> Bool {
        let end = at + 1 + hashes
        guard bytes[at] == UInt8(ascii: "\\"), end <= bytes.count else { return false }
        return bytes[(at + 1)..<end].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    private mutating func interpolationOrEscape() {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "(") else { return blank() }
        blank()
        code(until: UInt8(ascii: ")"))
        blank()
    }
}
