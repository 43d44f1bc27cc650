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
