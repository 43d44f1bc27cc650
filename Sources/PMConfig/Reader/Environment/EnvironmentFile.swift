public import PMModel

/// Environment files: `NAME=value` lines, in the form the dotenv tools share. Nothing is executed or expanded.
public enum EnvironmentFile {
    /// The variables of a file, in its order; `file` names it in messages.
    ///
    /// - Throws: `ConfigError` with the first line that is wrong.
    public static func parse(_ bytes: [UInt8], file: String) throws(ConfigError) -> [EnvironmentVariable] {
        var parser = EnvironmentFileParser(bytes, file: file)
        return try parser.parse()
    }
}

private struct EnvironmentFileParser {
    private let bytes: [UInt8]
    private let file: String
    private var offset = 0

    init(_ bytes: [UInt8], file: String) {
        // Editors on other systems put a byte order mark first.
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        self.file = file
    }

    mutating func parse() throws(ConfigError) -> [EnvironmentVariable] {
        var variables: [EnvironmentVariable] = []
        while true {
            skip { isBlank($0) || isLineEnd($0) }
            guard let byte = next else { return variables }
            if byte == UInt8(ascii: "#") {
                skip { $0 != UInt8(ascii: "\n") }
            } else {
                variables.append(try variable())
            }
        }
    }

    private mutating func variable() throws(ConfigError) -> EnvironmentVariable {
        let start = offset
        var name = word()
        if name == "export", let byte = next, isBlank(byte) {
            skip(isBlank)
            name = word()
        }
        guard let first = name.utf8.first, !isDigit(first) else {
            throw error(#"expected NAME=value, a comment or an empty line"#, at: start)
        }
        skip(isBlank)
        guard next == UInt8(ascii: "=") else { throw error("expected '=' after \(name)", at: offset) }
        offset += 1
        skip(isBlank)
        return EnvironmentVariable(name: name, value: try value(of: name))
    }

    private mutating func word() -> String {
        let start = offset
        skip { isLetter($0) || isDigit($0) || "_.-".utf8.contains($0) }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func value(of name: String) throws(ConfigError) -> String {
        let start = offset
        let value: [UInt8]
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): value = try quoted(name)
        default: value = plain()
        }
        if value.contains(0) { throw error("the value of \(name) contains a NUL character", at: start) }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw error("the value of \(name) is not UTF-8", at: start)
        }
        return text
    }

    /// Up to the end of the line or a comment, without the blanks before it.
    private mutating func plain() -> [UInt8] {
        let start = offset
        var end = offset
        while let byte = next, !isLineEnd(byte) {
            if byte == UInt8(ascii: "#"), offset == start || isBlank(bytes[offset - 1]) { break }
            offset += 1
            if !isBlank(byte) { end = offset }
        }
        skip { !isLineEnd($0) }
        return Array(bytes[start..<end])
    }

    /// Up to the same quote, over line ends too; only double quotes know escapes.
    private mutating func quoted(_ name: String) throws(ConfigError) -> [UInt8] {
        let (start, quote) = (offset, bytes[offset])
        var value: [UInt8] = []
        offset += 1
        while let byte = next, byte != quote {
            offset += 1
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let escaped = next {
                offset += 1
                value += unescaped(escaped)
            } else if byte != UInt8(ascii: "\r") || next != UInt8(ascii: "\n") {
                value.append(byte)
            }
        }
        guard next == quote else { throw error("the quote that opens the value of \(name) is never closed", at: start) }
        offset += 1
        skip(isBlank)
        if let byte = next, !isLineEnd(byte), byte != UInt8(ascii: "#") {
            throw error("expected the end of the line after the value of \(name)", at: offset)
        }
        skip { $0 != UInt8(ascii: "\n") }
        return value
    }

    private func unescaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "n"): [UInt8(ascii: "\n")]
        case UInt8(ascii: "r"): [UInt8(ascii: "\r")]
        case UInt8(ascii: "t"): [UInt8(ascii: "\t")]
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "$"), UInt8(ascii: "`"): [byte]
        // A line end behind a backslash joins the lines.
        case UInt8(ascii: "\n"): []
        default: [UInt8(ascii: "\\"), byte]
        }
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) {
        while let byte = next, isSkipped(byte) { offset += 1 }
    }

    private func error(_ message: String, at offset: Int) -> ConfigError {
        let before = bytes[..<offset]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        var problem = ConfigProblem(message)
        problem.file = file
        problem.line = before.count { $0 == UInt8(ascii: "\n") } + 1
        problem.column = offset - lineStart + 1
        return ConfigError(.invalid, [problem])
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
private func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") <= 25 }
