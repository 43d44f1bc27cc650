import PMLogs
import PMModel
import Testing

@Suite struct LogFilterTests {
    private func passing(_ lines: [String], _ filter: LogFilter, _ stream: LogStream = .out) -> [String] {
        lines.filter { filter.accepts(Array($0.utf8), stream) }
    }

    @Test func `a pattern is looked for in each line`() throws {
        let lines = ["said 1", "said a", "", "SAID 2"]
        #expect(try passing(lines, LogFilter(pattern: "^said [0-9]$")) == ["said 1"])
        #expect(try passing(lines, LogFilter(pattern: "1|a")) == ["said 1", "said a"])
        #expect(try passing(lines, LogFilter(pattern: "")) == lines)
        #expect(try LogFilter().isOpen && !LogFilter(pattern: "x").isOpen)
    }

    @Test func `a level in front of a line goes before that of its output`() throws {
        let lines = ["plain", "<3>bad", "<7>fine", "<9>none", "<3"]
        #expect(try passing(lines, LogFilter(priority: .error)) == ["<3>bad"])
        #expect(try passing(lines, LogFilter(priority: .information)) == ["plain", "<3>bad", "<9>none", "<3"])
        #expect(try passing(lines, LogFilter(priority: .warning), .err) == ["plain", "<3>bad", "<9>none", "<3"])
        #expect(try LogFilter(priority: .error).accepts(Array("<7>x".utf8), .out, level: .alert))
    }

    @Test(arguments: [
        ("(a", "Unmatched ( or \\("), (#"(a)\1"#, "back-references (\\1) are not supported"),
        ("a{1001}", "it repeats more than 1000 times"),
        ("a{9223372036854775807}{9223372036854775807}", "it repeats more than 1000 times"),
        ("((a{40}){5}){6}", "it repeats more than 1000 times"),
        (String(repeating: "x", count: 513), "it is longer than 512 bytes"), ("a\0", "it contains a NUL character"),
    ])
    func `a pattern that is none, or that could take for ever, is refused`(pattern: String, problem: String) {
        let error = #expect(throws: LogPatternProblem.self) { try LogFilter(pattern: pattern) }
        #expect(error?.description == problem)
    }

    @Test func `what looks dangerous and is not, is taken`() throws {
        for pattern in [#"\\1"#, "a{1000}", "(a{10}){10}", "[{]1001}"] { _ = try LogFilter(pattern: pattern) }
    }

    @Test func `levels are read by name and by number`() {
        #expect(LogPriority("err") == .error && LogPriority("3") == .error && LogPriority("debug") == .debug)
        #expect(LogPriority("error") == nil && LogPriority("8") == nil && LogPriority("") == nil)
    }
}
