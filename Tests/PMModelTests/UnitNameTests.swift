import PMModel
import Testing

/// Valid and invalid names of services; every source of names uses this check.
@Suite struct UnitNameTests {
    @Test(arguments: [
        "web", "@scope/name", "über", "日本", "a#1", "#2", "web#x", "web#02", "a b", "..a", "a..", "हिन्दी", "pm",
    ])
    func `a name is taken as it is`(text: String) throws {
        #expect(try UnitName(text).text == text)
    }

    private static let refusals: [(text: String, problem: UnitName.Problem)] = [
        ("", .empty), (String(repeating: "a", count: 201), .tooLong), (String(repeating: "é", count: 101), .tooLong),
        ("a\nb", .controlCharacter), ("a\0", .controlCharacter), ("\u{7f}", .controlCharacter),
        ("a\u{85}b", .controlCharacter), ("a\u{202E}b", .hiddenCharacter), ("a\u{200B}", .hiddenCharacter),
        ("\u{FEFF}a", .hiddenCharacter), ("a\u{2028}b", .hiddenCharacter), ("a\u{AD}b", .hiddenCharacter),
        ("-rf", .dash), ("--all", .dash), ("-", .dash),
        ("..", .path), (".", .path), ("a/../b", .path), ("/a", .path), ("a/", .path), ("a//b", .path), ("a/.", .path),
        ("u\u{308}ber", .notComposed), ("\u{212b}", .notComposed),
        ("web#2", .instance(of: "web", number: 2)), ("a#b#3", .instance(of: "a#b", number: 3)),
        ("pm-gateway", .reserved),
    ]

    @Test(arguments: refusals.indices)
    func `a text that is none says why`(index: Int) {
        let (text, problem) = Self.refusals[index]
        #expect(throws: problem) { try UnitName(text) }
    }

    @Test func `the longest name fits`() throws {
        #expect(try UnitName(String(repeating: "a", count: UnitName.mostBytes)).text.utf8.count == 200)
    }

    @Test func `problems read on after "the name"`() {
        #expect(UnitName.Problem.instance(of: "web", number: 2).description == "is that of instance 2 of web")
        for (_, problem) in Self.refusals {
            #expect(problem.description.hasPrefix("must ") || problem.description.hasPrefix("is "))
        }
    }
}
