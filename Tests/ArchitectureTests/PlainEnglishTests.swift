import Testing

/// Documents and comments that are read once: short cells of tables, and comments that begin with a noun or a verb.
enum PlainEnglish {
    /// The longest cell of a table, in characters of its source: a longer one cannot be read in a terminal or in a diff.
    static let longestCell = 200
    /// First words after which a reader has to wait for the noun.
    static let lateNouns: Set<Substring> = ["What", "Who", "Whose", "Whether", "It", "Its", "Where", "How"]

    static func longCells(in file: SourceFile) -> [Violation] {
        file.lines.enumerated().flatMap { index, line in
            cells(of: line).filter { $0.count > longestCell }.map {
                Violation(path: file.path, line: index + 1, reason: "a cell has \($0.count) characters")
            }
        }
    }

    /// The cells of a row of a table; `\|` is a character of its cell.
    private static func cells(of line: Substring) -> [Substring] {
        guard line.hasPrefix("|") else { return [] }
        var cells: [Substring] = []
        var rest = line.dropFirst()
        while let end = rest.indices.first(where: {
            rest[$0] == "|" && ($0 == rest.startIndex || line[line.index(before: $0)] != "\\")
        }) {
            cells.append(trimmed(rest[..<end]))
            rest = rest[rest.index(after: end)...]
        }
        return cells
    }

    private static func trimmed(_ cell: Substring) -> Substring {
        let text = cell.drop { $0 == " " }
        return text.dropLast(text.reversed().prefix { $0 == " " }.count)
    }

    /// The first words of the blocks of `///` in a file, with their lines.
    static func openings(in file: SourceFile) -> [(word: Substring, line: Int)] {
        var found: [(word: Substring, line: Int)] = []
        var isInside = false
        for (index, line) in file.lines.enumerated() {
            let text = line.drop { $0 == " " }
            let begins = text.hasPrefix("///") && !isInside
            isInside = text.hasPrefix("///")
            guard begins else { continue }
            found.append((text.dropFirst(3).drop { $0 == " " }.prefix { $0.isLetter }, index + 1))
        }
        return found
    }
}

@Suite struct PlainEnglishTests {
    @Test func `no cell of a table has more than 200 characters`() throws {
        let files =
            try SourceTree.files(["Docs", "Examples"], [".md"])
            + ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(SourceTree.file)
        expectNone(files.flatMap(PlainEnglish.longCells))
    }

    /// Some are right as they are ("How many…" in a sentence of its own), so a few may stay.
    @Test func `under 5 percent of the comments begin with a word that leaves the reader waiting for the noun`() throws
    {
        let all = try SourceTree.swift("Sources").flatMap { file in
            PlainEnglish.openings(in: file).map { (opening: $0, path: file.path) }
        }
        let late = all.filter { PlainEnglish.lateNouns.contains($0.opening.word) }
        let places = late.map { "\($0.path):\($0.opening.line): \($0.opening.word)" }.joined(separator: "\n")
        #expect(all.count > 1000 && late.count * 20 < all.count, "\(late.count) of \(all.count)\n\(places)")
    }

    @Test func `a long cell is found, and a bar within a cell is none of its ends`() {
        let cell = String(repeating: "a", count: 201)
        let text =
            "| x | \(cell) |\n| \(cell.dropLast()) | y |\n| \(cell.dropLast(100))\\|\(cell.dropLast(100)) |\n\(cell)\n"
        #expect(PlainEnglish.longCells(in: SourceFile(path: "a.md", text: text)).map(\.line) == [1, 3])
    }

    @Test func `the first word of each block of comments is found`() {
        let text = "/// What it is.\n/// How it goes on.\nlet a = 1\n    /// Names of units.\n// Who\n///\n"
        let found = PlainEnglish.openings(in: SourceFile(path: "a.swift", text: text))
        #expect(found.map(\.word) == ["What", "Names", ""] && found.map(\.line) == [1, 4, 6])
    }
}
