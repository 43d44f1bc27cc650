import Testing

@testable import PMConfig

/// The grammar of variables in texts (Docs/Configuration.md).
@Suite struct ValueTemplateTests {
    private let variables = ["A": "1", "EMPTY": "", "LOOP": "${A}"]

    @Test(arguments: [
        ("${A}", "1"), ("x${A}y${A}", "x1y1"), ("${B:-two}", "two"), ("${A:-two}", "1"), ("${EMPTY}", ""),
        ("${EMPTY:-two}", "two"), ("${B:-}", ""), ("${LOOP}", "${A}"), ("${B:-a$b:-{}", "a$b:-{"),
        ("$${A}", "${A}"), ("$$${A}", "$1"), ("$$$${A}", "$${A}"), ("$$$$${A}", "$$1"),
    ])
    func `variables are replaced once`(text: String, value: String) throws {
        let template = try #require(try ValueTemplate(text))
        #expect(try template.filled(variables) == value)
    }

    @Test(arguments: ["", "a", "$A", "pa$$word", "$", "$$", "a$", "{A}", "$ {A}", "/ready$/"])
    func `other texts are as they are`(text: String) throws {
        #expect(try ValueTemplate(text) == nil)
    }

    @Test(arguments: [
        ("${", 0), ("ab${A", 2), ("${}", 0), ("${1}", 0), ("${A-b}", 0), ("${A:?b}", 0), ("${A:-b", 0),
        ("${A:-${B}}", 0),
        ("${A B}", 0), ("$$${é}", 2),
    ])
    func `what breaks the grammar has a place`(text: String, offset: Int) {
        let fault = #expect(throws: ValueTemplate.Fault.self) { try ValueTemplate(text) }
        #expect(fault?.offset == offset, "\(String(describing: fault))")
    }

    @Test func `a variable without a value is named`() throws {
        let template = try #require(try ValueTemplate("a${A}${MISSING}"))
        #expect(throws: ValueTemplate.Unset(name: "MISSING", offset: 5)) { try template.filled(variables) }
    }

    @Test(arguments: ["a", "${A}", "$${A}", "$$${", "x$${y}${"]) func `what pm writes reads as the text`(text: String)
        throws
    {
        let written = ValueTemplate.escaped(text)
        #expect(try ValueTemplate(written)?.filled([:]) ?? written == text)
    }
}
