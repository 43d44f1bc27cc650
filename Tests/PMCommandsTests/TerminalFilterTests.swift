import Testing

@testable import PMCommands

@Suite struct `To a terminal` {
    private func passed(_ pieces: String...) -> String {
        var filter = TerminalFilter()
        return pieces.map { filter.passed($0) }.joined()
    }

    @Test func `text, tabs, line ends and colours pass`() {
        #expect(passed("a\tb\r\nc\u{1B}[1;31mred\u{1B}[0m é\n") == "a\tb\nc\u{1B}[1;31mred\u{1B}[0m é\n")
    }

    @Test(arguments: [
        "\u{1B}[6n", "\u{1B}[?1049h", "\u{1B}]0;title\u{7}", "\u{1B}]52;c;eA==\u{1B}\\", "\u{9B}2J", "\u{9D}0;t\u{9C}",
        "\u{8}",
        "\u{1B}Pq\u{1B}\\", "\u{1B}c", "\u{1B}(0", "\r", "\u{7}", "\u{1B}[>4m",
    ]) func `nothing else does`(sequence: String) {
        #expect(passed("a\(sequence)b\n") == "ab\n")
        // However it is cut.
        var filter = TerminalFilter()
        #expect("a\(sequence)b\n".unicodeScalars.map { filter.passed(String($0)) }.joined() == "ab\n")
    }

    @Test(arguments: [
        ("8", nil), ("08", nil), ("8:0", nil), ("5", nil), ("6;8", nil), ("1;8;31", "1;31"), ("38;5;8", "38;5;8"),
        ("48;2;5;6;8", "48;2;5;6;8"), ("58;5;6;5", "58;5;6"), ("38;5;1;8;4", "38;5;1;4"), ("", ""), ("0", "0"),
        ("38:5:8", "38:5:8"), ("38;5", "38;5"), (";8;", ";"),
    ]) func `no colour hides text or blinks`(given: String, shown: String?) {
        let expected = shown.map { "a\u{1B}[\($0)mb" } ?? "ab"
        #expect(passed("a\u{1B}[\(given)mb") == expected)
    }

    @Test func `characters that hide or turn the text around are seen`() {
        #expect(passed("a\u{202E}b\u{200B}c\u{2066}d\u{FEFF}e\u{2029}f\u{AD}") == "a?b?c?d?e?f?")
        #expect(passed("👩\u{200D}💻 نمی\u{200C}خواهم") == "👩\u{200D}💻 نمی\u{200C}خواهم")
    }

    @Test func `a string without an end hides no further line, nor does a long sequence`() {
        #expect(passed("a\u{1B}]0;title\nnext\n") == "a\nnext\n")
        let long = "\u{1B}[" + String(repeating: "1", count: 200)
        #expect(passed("\(long)m\nnext\n").hasSuffix("\nnext\n"))
    }

    @Test func `a colour ends with its line`() {
        #expect(TerminalFilter.line("\u{1B}[31mred") == "\u{1B}[31mred\u{1B}[0m")
        #expect(TerminalFilter.line("\u{1B}[31mred\u{1B}[m") == "\u{1B}[31mred\u{1B}[m")
    }
}
