import JSON
import PMAPI
import PMModel
import Testing

@testable import PMCommands

/// Nothing that a name, a path, a hint or an error holds reaches the terminal as a control character.
@Suite struct EscapeTests {
    /// Colour, the title of the window, a line of its own, a C1 sequence, and text from right to left.
    private static let evil = "a\u{1B}[31mb\u{7}c\rd\u{9B}2Je\u{202E}f\u{200B}g\u{2067}h"

    private static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0 == "\n" || ![.control, .format, .lineSeparator].contains($0.properties.generalCategory)
        }
    }

    /// Commands for people, each with an answer of its daemon that is as bad as it can be.
    private static let commands: [(words: [String], answer: JSONValue)] = [
        (["start", evil], ["name": .string(evil), "pid": 1, "state": "up", "execPath": "", "args": [], "cwd": ""]),
        (["stop", evil], ["stopped": [.string(evil)], "survivors": [["name": .string(evil), "pid": 2]]]),
        (["stop", evil], .null),
        (["ls"], .object([evil: ["type": "nodejs", "path": .string(evil), "dependencies": [.string(evil)]]])),
        (["scale", evil, "2"], ["started": [.string(evil)], "stopped": [.string(evil)]]),
        (["map", "x", "/bin/true"], .string(evil)),
        (["unmap", evil], ["removed": ["mapping"], "usedBy": .string(evil)]),
        (["discover", "."], [.string(evil)]),
        (["connect", "x"], .object(["jsonrpc+tcp://" + evil: ["host": .string(evil)]])),
        (["reload-metadata", "x"], ["name": "x", "commands": [["name": .string(evil)]]]),
    ]

    @Test(arguments: commands.indices)
    func `an answer is shown without them`(index: Int) throws {
        let (words, answer) = Self.commands[index]
        let fixture = try CommandFixture()
        try fixture.serve { _ in answer }
        fixture.run(words)
        #expect(Self.isPlain(fixture.output.text + fixture.errors.text), "\(fixture.output.text)\(fixture.errors.text)")
    }

    @Test(arguments: [
        ["status"], ["log", "x"], ["call", "x.y"], ["upgrade"], ["version"], ["restart", "x"], ["name"],
    ])
    func `so are the parts of an error`(words: [String]) throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ throws(APIError) in
            throw APIError(400, Self.evil + "\n" + Self.evil, hint: Self.evil)
        }
        fixture.run(words)
        #expect(Self.isPlain(fixture.output.text + fixture.errors.text), "\(fixture.errors.text)")
    }

    @Test(arguments: [
        ["--" + evil], [evil, evil, "--pm-sock", "/nowhere/" + evil], ["start", "pm", "--pm-sock", evil],
    ])
    func `so are words of the command line`(words: [String]) throws {
        let fixture = try CommandFixture()
        #expect(fixture.run(words) != 0)
        #expect(Self.isPlain(fixture.output.text + fixture.errors.text), "\(fixture.errors.text)")
    }

    @Test func `a note and several lines stay readable`() {
        #expect(DisplayWidth.printable("a\u{2028}b\tc") == "a?b?c")
        #expect(DisplayWidth.printableLines("a\n\nb\u{1B}") == "a\n    b?")
    }
}
