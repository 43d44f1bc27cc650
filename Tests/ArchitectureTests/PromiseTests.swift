import Testing

/// Tables of promises in the documents: each row names its test in the last column.
///
/// A name in backquotes is a file in Tests/ScenarioTests; behind a slash is the title of one test in that file. A link leads
/// to a test elsewhere.
enum Promises {
    /// The documents, and sections whose tables promise nothing.
    static let documents = ["Docs/ThreatModel.md", "Docs/Reliability.md", "Docs/Compatibility.md", "SECURITY.md"]

    /// `text` is that of a file of Tests/ScenarioTests, by its name without the ending.
    static func violations(in file: SourceFile, text: (String) -> String?) -> [Violation] {
        var (isTable, found) = (false, [Violation]())
        for (index, line) in file.lines.enumerated() {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
            guard let last = cells.last?.trimmed else {
                isTable = false
                continue
            }
            if last == "test" {
                isTable = true
            } else if isTable, !last.allSatisfy({ $0 == "-" }) || last.isEmpty, !isHeading(cells) {
                found += reasons(last, in: file.path, text).map {
                    Violation(path: file.path, line: index + 1, reason: $0)
                }
            }
        }
        return found
    }

    /// A row of a table that only parts it.
    private static func isHeading(_ cells: ArraySlice<Substring>) -> Bool {
        cells.first?.trimmed.hasPrefix("**") == true && cells.dropFirst().allSatisfy(\.trimmed.isEmpty)
    }

    private static func reasons(_ cell: String, in document: String, _ text: (String) -> String?) -> [String] {
        let names = cell.matches(of: /`([^`]+)`/).map { String($0.output.1) }
        let links = cell.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }
        if names.isEmpty && links.isEmpty { return ["no test is named: \(cell)"] }
        return names.compactMap { name in reason(name, text) }
            + links.filter { !isTest($0) }.map { "\($0) is no test" }
    }

    private static func reason(_ name: String, _ text: (String) -> String?) -> String? {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let file = "\(parts[0]).swift"
        guard let source = text(parts[0]) else { return "there is no \(file) in Tests/ScenarioTests" }
        guard source.contains("@Test") else { return "\(file) has no test" }
        if parts.count == 2, !source.contains("`\(parts[1])`") { return "\(file) has no test \"\(parts[1])\"" }
        return nil
    }

    private static func isTest(_ target: String) -> Bool { target.contains("Tests/") || target.hasPrefix("Tests") }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

@Suite struct PromiseTests {
    @Test func `every promise of the documents has a test that exists`() throws {
        let files = try Promises.documents.map(SourceTree.file)
        let tests = try SourceTree.swift("Tests/ScenarioTests").map { ($0.stem, $0.text) }
        let texts = Dictionary(tests) { first, _ in first }
        expectNone(files.flatMap { file in Promises.violations(in: file) { texts[$0] } })
    }

    @Test func `a promise without a test, or with one that does not exist, is found`() {
        let text = """
            | what | test |
            |---|---|
            | **one part** | |
            | a | `GoodTests` |
            | b | `GoodTests/it holds`, [c](../Tests/c/x.c) |
            | c | |
            | d | by hand |
            | e | `BadTests` |
            | f | `GoodTests/it does not` |
            | g | [code](../Sources/A.swift) |

            | other | table |
            |---|---|
            | h | |
            """
        let found = Promises.violations(in: SourceFile(path: "a.md", text: text)) {
            $0 == "GoodTests" ? "@Test func `it holds`()" : nil
        }
        #expect(found.map(\.line) == [6, 7, 8, 9, 10])
    }
}
