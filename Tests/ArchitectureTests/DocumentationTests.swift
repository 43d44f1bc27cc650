import Testing

/// Public declarations without a sentence above them.
enum Documentation {
    private static let kinds: Set<Substring> = [
        "func", "var", "let", "init", "struct", "class", "enum", "actor", "protocol", "typealias", "subscript",
        "associatedtype", "macro",
    ]

    static func violations(in file: SourceFile) -> [Violation] {
        let lines = file.lines
        let code = Code(file.text, .swift).lines
        return lines.indices.compactMap { index in
            guard isPublicDeclaration(code[index]), !isDocumented(index, lines) else { return nil }
            let text = lines[index].drop { $0 == " " }
            return Violation(path: file.path, line: index + 1, reason: "no sentence above \"\(text)\"")
        }
    }

    private static func isPublicDeclaration(_ line: String) -> Bool {
        let words = line.split { !$0.isLetter && $0 != "_" }
        guard let access = words.firstIndex(where: { $0 == "public" || $0 == "open" }) else { return false }
        let before = words[..<access].contains { kinds.contains($0) || $0 == "import" }
        return !before && words[access...].contains { kinds.contains($0) }
    }

    /// Attributes may stand between the sentence and the declaration.
    private static func isDocumented(_ index: Int, _ lines: [Substring]) -> Bool {
        for above in lines[..<index].reversed() {
            let text = above.drop { $0 == " " }
            if text.hasPrefix("///") || text.hasSuffix("*/") { return true }
            guard text.hasPrefix("@") || text.hasPrefix("// swift-format-ignore") else { return false }
        }
        return false
    }
}

@Suite struct DocumentationTests {
    @Test func `every public declaration has a sentence above it`() throws {
        let files = try SourceTree.swift("Sources", "Tests/PMTestSupport")
        expectNone(files.flatMap(Documentation.violations))
    }

    @Test func `a bare public declaration is found`() {
        let text = """
            public import JSON
            /// Says what.
            @MainActor
            public final class A {
                public private(set) var a = 1
                // no sentence
                public static func b() {}
                let text = "public func c() {}"
                /// Says.
                nonisolated public init() {}
            }
            """
        #expect(Documentation.violations(in: SourceFile(path: "a.swift", text: text)).map(\.line) == [5, 7])
    }
}
