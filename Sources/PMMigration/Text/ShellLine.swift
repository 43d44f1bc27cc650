/// Words of a command line as a POSIX shell, and Python's shlex, split it.
enum ShellLine {
    /// The words of a line.
    struct Split: Equatable {
        var words: [String] = []
        /// True when something in it needs a shell: a variable, a pattern, an operator.
        var needsShell = false
    }

    /// Splits a line.
    ///
    /// - Throws: when a quote is not closed.
    static func split(_ line: String) throws(MigrationError) -> Split {
        var splitter = Splitter(Array(line.utf8))
        return try splitter.split()
    }

    /// A word as a shell reads it back.
    static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy { isPlainByte($0) }
        if isPlain { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func isPlainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "/-._=:@%+,".utf8.contains(byte)
        }
    }

    private struct Splitter {
        private let bytes: [UInt8]
        private var offset = 0
        private var result = Split()
        private var word: [UInt8] = []
        private var isInWord = false

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        mutating func split() throws(MigrationError) -> Split {
            while offset < bytes.count {
                let byte = bytes[offset]
                offset += 1
                switch byte {
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): endWord()
                case UInt8(ascii: "'"): try single()
                case UInt8(ascii: "\""): try double()
                case UInt8(ascii: "\\"):
                    isInWord = true
                    if offset < bytes.count { word.append(bytes[offset]) }
                    offset += 1
                case UInt8(ascii: "~"), UInt8(ascii: "#"):
                    if !isInWord { result.needsShell = true }
                    add(byte)
                default:
                    if "$`|&;<>()*?[]{}!".utf8.contains(byte) { result.needsShell = true }
                    add(byte)
                }
            }
            endWord()
            return result
        }

        private mutating func add(_ byte: UInt8) {
            isInWord = true
            word.append(byte)
        }

        private mutating func endWord() {
            if isInWord { result.words.append(String(decoding: word, as: UTF8.self)) }
            (word, isInWord) = ([], false)
        }

        private mutating func single() throws(MigrationError) {
            isInWord = true
            guard let end = bytes[offset...].firstIndex(of: UInt8(ascii: "'")) else {
                throw MigrationError("a quote ' is not closed")
            }
            word += bytes[offset..<end]
            offset = end + 1
        }

        private mutating func double() throws(MigrationError) {
            isInWord = true
            while offset < bytes.count {
                let byte = bytes[offset]
                offset += 1
                if byte == UInt8(ascii: "\"") { return }
                if byte == UInt8(ascii: "\\"), offset < bytes.count, "\"\\$`".utf8.contains(bytes[offset]) {
                    word.append(bytes[offset])
                    offset += 1
                    continue
                }
                if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "`") { result.needsShell = true }
                word.append(byte)
            }
            throw MigrationError("a quote \" is not closed")
        }
    }
}

/// Times with units, as many as there are: `1min 30s`, `1m30s`, `90`.
enum CompoundDuration {
    private static let units: [String: Int64] = [
        "us": 1, "ms": 1000, "msec": 1000, "s": 1_000_000, "sec": 1_000_000, "second": 1_000_000,
        "seconds": 1_000_000, "m": 60_000_000, "min": 60_000_000, "minute": 60_000_000, "minutes": 60_000_000,
        "h": 3_600_000_000, "hr": 3_600_000_000, "hour": 3_600_000_000, "hours": 3_600_000_000,
        "d": 86_400_000_000, "day": 86_400_000_000, "days": 86_400_000_000, "w": 604_800_000_000,
        "week": 604_800_000_000, "weeks": 604_800_000_000,
    ]

    /// The time, to the millisecond; a number without a unit is in `unit`. Nil for other texts, and above 100 years.
    static func parse(_ text: String, unit: String) -> Duration? {
        var rest = text.utf8.drop(while: isBlank)
        var total: Double = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
            rest = rest.dropFirst(digits.count).drop(while: isBlank)
            let name = rest.prefix { !isDigit($0) && !isBlank($0) }
            rest = rest.dropFirst(name.count).drop(while: isBlank)
            let isOnly = name.isEmpty && rest.isEmpty && total == 0
            guard let value = Double(String(Substring(digits))),
                let scale = units[name.isEmpty ? (isOnly ? unit : "") : String(Substring(name))]
            else { return nil }
            total += value * Double(scale)
        }
        // bounded: by the comparison.
        guard total.isFinite, total >= 0, total < 3.2e15 else { return nil }
        return .milliseconds(Int64(total / 1000))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: String {
        let isBlank: (UInt8) -> Bool = { " \t\r\n".utf8.contains($0) }
        let bytes = Array(utf8.drop(while: isBlank))
        let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// The parts before and after the first `mark`; nil without one.
    func parts(at mark: Character) -> (before: String, after: String)? {
        guard let index = firstIndex(of: mark) else { return nil }
        return (String(self[..<index]), String(self[self.index(after: index)...]))
    }
}

extension [UInt8] {
    /// The lines of a text file, without their ends.
    ///
    /// - Throws: for bytes that are no text, and above a megabyte.
    func textLines() throws(MigrationError) -> [String] {
        guard count <= 1 << 20 else { throw MigrationError("the file is longer than 1 MiB") }
        guard !contains(0), let text = String(validating: self, as: UTF8.self) else {
            throw MigrationError("the file is no text in UTF-8")
        }
        let body = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : Substring(text)
        return body.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }
    }
}
