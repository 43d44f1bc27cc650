import Testing

/// Links of a Markdown file to other files of the repository.
enum Links {
    static func targets(in file: SourceFile) -> [(target: String, line: Int)] {
        file.lines.enumerated().flatMap { index, line in
            line.matches(of: /\]\(([^)\s]+)\)/).map { (String($0.output.1), index + 1) }
        }
    }

    static func violations(in file: SourceFile, exists: (String) -> Bool) -> [Violation] {
        targets(in: file).compactMap { target, line in
            guard !target.contains("://"), let path = target.split(separator: "#").first, !target.hasPrefix("#") else {
                return nil
            }
            let resolved = resolve(String(path), from: file.path)
            return exists(resolved) ? nil : Violation(path: file.path, line: line, reason: "no file \(resolved)")
        }
    }

    private static func resolve(_ path: String, from file: String) -> String {
        var components = file.split(separator: "/").dropLast()
        for component in path.split(separator: "/") where component != "." {
            if component == ".." { components = components.dropLast() } else { components.append(component) }
        }
        return components.joined(separator: "/")
    }
}

@Suite struct LinkTests {
    @Test func `links between files of the repository lead somewhere`() throws {
        let top = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].filter(SourceTree.exists)
        let files = try top.map(SourceTree.file) + SourceTree.files(["Docs", "Examples"], [".md"])
        expectNone(files.flatMap { Links.violations(in: $0, exists: SourceTree.exists) })
    }

    @Test func `a link to nowhere is found`() {
        let text = "[a](../b.md) [c](https://d.e) [f](#g)\n[h](i/j.md#k)\n"
        let file = SourceFile(path: "Docs/a.md", text: text)
        #expect(
            Links.violations(in: file) { $0 == "b.md" } == [
                Violation(path: "Docs/a.md", line: 2, reason: "no file Docs/i/j.md")
            ])
    }
}
