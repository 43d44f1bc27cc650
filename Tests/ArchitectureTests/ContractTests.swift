import Testing

/// The contracts between programs (Docs/Contracts.md): each has the files that define it, and its words stand in no other.
enum Contracts {
    /// A row of the table.
    struct Row {
        let name: String
        let files: [String]
        let words: [String]
    }

    static func rows(of page: SourceFile) -> [Row] {
        page.lines.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| contract") }.map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            let files = cells[4].matches(of: /\]\(\.\.\/([^)]+)\)/).map { String($0.output.1) }
            let words = cells[5].matches(of: /`([^`]+)`/).map { String($0.output.1) }
            return Row(name: cells[1].filter { $0 != " " }, files: files, words: words)
        }
    }

    /// The lines of a file that have the word as a text of the program: behind a quote, and in JavaScript as a name too.
    static func uses(of word: String, in file: SourceFile) -> [Int] {
        let isScript = file.path.hasSuffix("js")
        return file.lines.enumerated().compactMap { index, line in
            let code = line.drop { $0 == " " }
            guard !code.hasPrefix("//"), !code.hasPrefix("*"), !code.hasPrefix("/*"), code.contains(word) else {
                return nil
            }
            return isUse(word, code, isScript) ? index + 1 : nil
        }
    }

    private static func isUse(_ word: String, _ code: Substring, _ isScript: Bool) -> Bool {
        var rest = code
        while let range = rest.firstRange(of: word) {
            let before = rest[..<range.lowerBound].last
            let after = rest[range.upperBound...].first
            let isWhole = word.hasSuffix("_") || !(after.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false)
            let isText =
                before == "\"" || before == "'" || (isScript && !(before.map { $0.isLetter || $0 == "_" } ?? false))
            if isWhole, isText { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}

@Suite struct ContractTests {
    private static func rows() throws -> [Contracts.Row] {
        Contracts.rows(of: try SourceTree.file("Docs/Contracts.md"))
    }

    @Test func `each contract names files that exist`() throws {
        let rows = try Self.rows()
        #expect(rows.count >= 15)
        for row in rows {
            #expect(!row.files.isEmpty, "\(row.name)")
            for file in row.files { #expect(SourceTree.exists(file), "\(row.name): \(file)") }
        }
    }

    @Test func `the words of a contract stand in the files that define it alone`() throws {
        let files = try SourceTree.files(["Sources", "CSources"], [".swift", ".c", ".h", "js"])
        for row in try Self.rows() {
            for word in row.words {
                let uses = files.filter { !row.files.contains($0.path) }.flatMap { file in
                    Contracts.uses(of: word, in: file).map { "\(file.path):\($0)" }
                }
                #expect(uses.isEmpty, "\(row.name): \(word)")
            }
        }
    }

    @Test func `a second place is found`() {
        let swift = SourceFile(
            path: "a.swift", text: "// \"PM_NAME\"\nlet a = \"PM_NAME=\\(b)\"\nlet c = \"PM_NAMES\"\nPM_NAME\n")
        #expect(Contracts.uses(of: "PM_NAME", in: swift) == [2])
        let script = SourceFile(path: "a.mjs", text: "const { PM_NAME: name } = process.env;\n// PM_NAME\nMY_PM_NAME\n")
        #expect(Contracts.uses(of: "PM_NAME", in: script) == [1])
        let prefix = SourceFile(path: "a.swift", text: "\"PM_ENV_\\(name)\"\n")
        #expect(Contracts.uses(of: "PM_ENV_", in: prefix) == [1])
    }
}
