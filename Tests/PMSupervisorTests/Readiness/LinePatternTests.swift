import Testing

@testable import PMSupervisor

/// Lines of output that make a service ready.
@Suite struct LinePatternTests {
    @Test(arguments: [
        "listening on 3000", "at last: listening on 3000!", "listening on 3000\r", "50 %\r100 %\rlistening on 3000\r",
        "listening on \u{1B}[1m3000\u{1B}[22m", "\u{1B}[38;2;1;2;3mlistening\u{1B}[0m on 3000", "\0listening on 3000",
        "\u{1B}]0;title\u{07}listening on 3000", "\u{1B}]8;;x\u{1B}\\listening\u{1B}]8;;\u{1B}\\ on 3000",
        "\u{1B}(Blistening on 3000",
        "\u{1B}7listening on 3000\u{1B}[",
    ])
    func `a text is found as a person sees it`(line: String) {
        #expect(LinePattern("listening on 3000").matches(Array(line.utf8)))
        #expect(LinePattern("/listening on [0-9]+/").matches(Array(line.utf8)))
    }

    @Test(arguments: [
        "listening on 3000", "listening on 3000\r", "\0 listening on 3000", "listening on \u{1B}[1m3000\u{1B}[22m\r",
    ])
    func `an expression finds the end of a line`(line: String) {
        #expect(LinePattern("/on [0-9]+$/").matches(Array(line.utf8)))
    }

    @Test(arguments: ["", "listening", "listening on\r3000", "listening on 300", "\u{1B}]0;listening on 3000\u{07}"])
    func `what no line shows does not match`(line: String) {
        #expect(!LinePattern("/^listening on 3000$/").matches(Array(line.utf8)))
    }

    @Test func `bytes that are no UTF-8 are bytes`() {
        #expect(LinePattern("/^caf. ready$/").matches(Array("caf".utf8) + [0xE9] + Array(" ready".utf8)))
        #expect(LinePattern("ready").matches([0xFF] + Array("ready".utf8)))
    }
}
