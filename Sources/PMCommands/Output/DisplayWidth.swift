import PMModel

/// Width of text in columns of a terminal, and cutting text to a width.
enum DisplayWidth {
    /// The columns of a text without control characters.
    static func of(_ text: String) -> Int {
        // Most text is ASCII: one column a byte.
        if text.hasOnly({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + of($1) }
    }

    /// The columns of a character: 0 for a lone mark, 2 for wide ones, else 1.
    static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.isASCII { return 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break  // all other categories of Unicode take room
        }
        let isEmoji = character.unicodeScalars.contains { $0.value == 0xFE0F } || first.properties.isEmojiPresentation
        return isEmoji || isWide(first.value) ? 2 : 1
    }

    /// The wide and full-width blocks of Unicode (UAX 11).
    private static func isWide(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1B000...0x1B2FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }

    /// The text, ended by `…` when it takes more than `columns`.
    static func cut(_ text: String, to columns: Int) -> String {
        guard of(text) > columns else { return text }
        guard columns > 0 else { return "" }
        var (kept, width) = ("", 0)
        for character in text {
            width += of(character)
            if width > columns - 1 { break }
            kept.append(character)
        }
        return kept + "…"
    }

    /// The text without what could move the cursor, change looks or the order of what is read: those characters become `?`, and a
    /// byte that is no UTF-8 becomes `\xe9`.
    static func printable(_ text: String) -> String {
        if text.hasOnly({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let byte = ByteText.byte(of: scalar) {
                clean.append(contentsOf: "\\x\(String(byte, radix: 16))".unicodeScalars)
            } else {
                clean.append(isHarmful(scalar) ? "?" : scalar)
            }
        }
        return String(clean)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isHidden || scalar.properties.generalCategory == .control
    }

    /// As `printable`; several lines stay several lines, indented under the first.
    static func printableLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { printable(String($0)) }
            .joined(separator: "\n    ")
    }
}

extension String {
    /// True when all bytes are of this kind: the bytes of a table are looked at without an iterator for each.
    @inline(__always)
    fileprivate func hasOnly(_ isFine: (UInt8) -> Bool) -> Bool {
        var text = self
        return text.withUTF8 { $0.allSatisfy(isFine) }
    }
}
