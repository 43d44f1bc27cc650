/// A word of a command line or list of systemd.
struct UnitWord: Equatable {
    /// A part of a word.
    enum Part: Equatable {
        case text(String)
        /// `${NAME}`: the value, as part of the word.
        case variable(String)
        /// `$NAME` as a word of its own: the words of the value.
        case words(String)
    }

    var parts: [Part]

    /// The text; nil with a variable in it.
    var text: String? {
        var text = ""
        for part in parts {
            guard case .text(let piece) = part else { return nil }
            text += piece
        }
        return text
    }
}

/// Splits values as systemd.syntax(7) and systemd.service(5) say.
enum UnitSyntax {
    /// The words of a list such as `Environment=`: quotes and C escapes, no variables.
    ///
    /// - Throws: `MigrationError` for a quote that is not closed and a wrong escape.
    static func list(_ value: String) throws(MigrationError) -> [String] {
        var splitter = Splitter(Array(value.utf8))
        return try splitter.split()
    }

    /// The words of `ExecStart=`, with its variables; the prefix characters are cut off before.
    ///
    /// - Throws: as `list`.
    static func command(_ value: String) throws(MigrationError) -> [UnitWord] {
        var words: [UnitWord] = []
        for (index, word) in try list(value).enumerated() {
            // The first word is the program, in which systemd replaces no variable.
            words.append(index == 0 ? UnitWord(parts: [.text(word)]) : Self.variables(word))
        }
        return words
    }

    private static func variables(_ word: String) -> UnitWord {
        if word.hasPrefix("$"), isName(word.dropFirst()) {
            return UnitWord(parts: [.words(String(word.dropFirst()))])
        }
        var parts: [UnitWord.Part] = []
        var text = ""
        var rest = word[...]
        while let character = rest.popFirst() {
            guard character == "$" else {
                text.append(character)
                continue
            }
            if rest.hasPrefix("$") {
                rest.removeFirst()
                text.append("$")
            } else if rest.hasPrefix("{"), let end = rest.firstIndex(of: "}"), isName(rest[..<end].dropFirst()) {
                if !text.isEmpty { parts.append(.text(text)) }
                text = ""
                parts.append(.variable(String(rest[..<end].dropFirst())))
                rest = rest[rest.index(after: end)...]
            } else {
                text.append("$")
            }
        }
        if !text.isEmpty || parts.isEmpty { parts.append(.text(text)) }
        return UnitWord(parts: parts)
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && Procfile.assignment(text + "=") != nil
    }

    private struct Splitter {
        private let bytes: [UInt8]
        private var offset = 0
        private var words: [String] = []
        private var word: [UInt8] = []
        private var quote: UInt8?
        private var isInWord = false

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        mutating func split() throws(MigrationError) -> [String] {
            while offset < bytes.count {
                let byte = bytes[offset]
                offset += 1
                if let quote {
                    if byte == quote {
                        self.quote = nil
                    } else if byte == UInt8(ascii: "\\") {
                        try escape()
                    } else {
                        word.append(byte)
                    }
                    continue
                }
                switch byte {
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): try endWord()
                case UInt8(ascii: "'"), UInt8(ascii: "\""): (quote, isInWord) = (byte, true)
                case UInt8(ascii: "\\"):
                    isInWord = true
                    try escape()
                default:
                    isInWord = true
                    word.append(byte)
                }
            }
            guard quote == nil else { throw MigrationError("a quote is not closed") }
            try endWord()
            return words
        }

        private mutating func endWord() throws(MigrationError) {
            if isInWord {
                guard let text = String(validating: word, as: UTF8.self), !word.contains(0) else {
                    throw MigrationError("an escape makes bytes that are no text")
                }
                words.append(text)
            }
            (word, isInWord) = ([], false)
        }

        /// C escapes, as systemd has them.
        private mutating func escape() throws(MigrationError) {
            guard offset < bytes.count else { throw MigrationError("nothing follows a \\") }
            let byte = bytes[offset]
            offset += 1
            let simple: [UInt8: UInt8] = [
                UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
                UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "s"): 32,
                UInt8(ascii: "\\"): 92, UInt8(ascii: "\""): 34, UInt8(ascii: "'"): 39,
            ]
            if let value = simple[byte] { return word.append(value) }
            switch byte {
            case UInt8(ascii: "x"): word.append(UInt8(truncatingIfNeeded: try number(2, 16)))
            case UInt8(ascii: "u"): try scalar(4)
            case UInt8(ascii: "U"): try scalar(8)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                offset -= 1
                let value = try number(3, 8)
                guard value < 256 else { throw MigrationError("an octal escape is above \\377") }
                word.append(UInt8(value))
            default:
                // systemd keeps what is no escape in a command.
                word += [UInt8(ascii: "\\"), byte]
            }
        }

        private mutating func scalar(_ digits: Int) throws(MigrationError) {
            guard let scalar = Unicode.Scalar(try number(digits, 16)) else {
                throw MigrationError("an escape names no character")
            }
            word += Array(String(Character(scalar)).utf8)
        }

        private mutating func number(_ digits: Int, _ radix: Int) throws(MigrationError) -> UInt32 {
            let end = offset + digits
            guard end <= bytes.count, bytes[offset..<end].allSatisfy({ $0 != UInt8(ascii: "+") }),
                let value = UInt32(String(decoding: bytes[offset..<end], as: UTF8.self), radix: radix)
            else { throw MigrationError("an escape has not \(digits) digits") }
            offset = end
            return value
        }
    }
}
