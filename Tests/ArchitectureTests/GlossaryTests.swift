import Testing

/// The words of the project: one word for one thing (Docs/Glossary.md).
enum Glossary {
    /// Words that said something private where the field has a name; whole words of a type's name.
    static let retiredWords: Set<String> = [
        "Book", "Crowd", "Doorkeeper", "Greetings", "Keeper", "Patience", "Place", "Rare", "Rest", "Surroundings",
        "Sweeper", "Teller", "Wish", "Words",
    ]
    /// Phrases that a reader has to read twice.
    static let retiredPhrases = [
        "the holder", "anew", "in vain", "for want of", "is told", "are told", "be told", "whoever", "none stands",
        "is said", "makes no sense", "by its own word",
    ]

    /// Declarations and parameters that are named by a verb which says neither the event nor the effect: `take`, `begin`.
    static func bareVerbs(in file: SourceFile) -> [(name: Substring, line: Int)] {
        guard let language = Code.language(of: file.path) else { return [] }
        let code = Code(file.text, language)
        let text = String(decoding: code.bytes, as: UTF8.self)
        let declared = /\b(?:func|let|var|const)\s+(take|begin)\b/
        let parameter = /[(,]\s*(?:_\s+)?(take|begin)\s*:/
        let function = /(?:^|[^.\w#])#?(take|begin)\s*\(/
        let names =
            language == .swift
            ? text.matches(of: declared).map(\.output.1) + text.matches(of: parameter).map(\.output.1)
            : text.matches(of: declared).map(\.output.1) + text.matches(of: function).map(\.output.1)
        return names.map { ($0, code.line(of: text.utf8.distance(from: text.startIndex, to: $0.startIndex))) }
    }

    /// The words of a type's name: `LogBook` is `Log` and `Book`.
    static func words(of name: Substring) -> [String] {
        var words: [String] = []
        for letter in name {
            if letter.isUppercase || words.isEmpty { words.append("") }
            words[words.count - 1].append(letter)
        }
        return words
    }

    /// The types that a file declares, with their lines; those within others only where `isNested`.
    static func types(in file: SourceFile, isNested: Bool) -> [(name: Substring, line: Int)] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol"]
        return Code(file.text, .swift).lines.enumerated().compactMap { index, line in
            guard isNested || line.first.map({ $0 != " " }) ?? false else { return nil }
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count,
                words[kind + 1].first?.isUppercase ?? false
            else { return nil }
            return (words[kind + 1], index + 1)
        }
    }
}

@Suite struct GlossaryTests {
    @Test func `has a row for each word, and no word twice`() throws {
        let words = try SourceTree.file("Docs/Glossary.md").lines.filter { $0.hasPrefix("| ") }.dropFirst()
            .map { $0.split(separator: "|")[0] }.joined(separator: ",").split(separator: ",")
            .map { $0.filter { $0 != " " } }
        #expect(words.count >= 25)
        #expect(Set(words).count == words.count)
    }

    @Test func `no type is named by a word that the field has another name for`() throws {
        let files = try SourceTree.swift("Sources", "Tests/PMTestSupport")
        expectNone(
            files.flatMap { file in
                Glossary.types(in: file, isNested: true).compactMap { type in
                    let old = Glossary.words(of: type.name).filter(Glossary.retiredWords.contains)
                    guard let word = old.first else { return nil }
                    return Violation(path: file.path, line: type.line, reason: "\(type.name): \(word) is not our word")
                }
            })
    }

    @Test func `no function and no parameter is only take or begin`() throws {
        let files = try SourceTree.files(["Sources", "CSources", "Tests"], [".swift", ".c", ".h", "js"])
        #expect(files.count > 700)
        expectNone(
            files.flatMap { file in
                Glossary.bareVerbs(in: file).map { verb in
                    let reason = "\(verb.name): say the event (received…) or the effect"
                    return Violation(path: file.path, line: verb.line, reason: reason)
                }
            })
    }

    @Test func `finds bare verbs in each language, and neither calls nor longer names`() {
        let swift = """
            func take(_ a: Int) {}
            func enter(_ begin: () -> Void, take: Int) {}
            func takeOver() { let begin = a.take() }
            """
        let script = "class A {\n  #take(a) { b.take(a); }\n}\nfunction begin() {}\nconst taken = beginning();\n"
        let c = "static int begin(int a);\nstruct a { int begin, end; };\n"
        let found = [("a.swift", swift), ("a.mjs", script), ("a.c", c)].map { path, text in
            Glossary.bareVerbs(in: SourceFile(path: path, text: text)).map { "\($0.name) \($0.line)" }.sorted()
        }
        #expect(found == [["begin 2", "begin 3", "take 1", "take 2"], ["begin 4", "take 2"], ["begin 1"]])
    }

    @Test func `no two modules have types of one name`() throws {
        var modules: [Substring: Set<String>] = [:]
        for file in try SourceTree.swift("Sources") where !file.text.isEmpty {
            for line in Glossary.types(in: file, isNested: false) {
                modules[line.name, default: []].insert(file.module)
            }
        }
        #expect(modules.filter { $0.value.count > 1 } == [:])
    }

    @Test func `no text has a phrase that is read twice`() throws {
        let files = try SourceTree.files(["Sources", "Docs"], [".swift", ".md"]) + [try SourceTree.file("README.md")]
        expectNone(
            files.flatMap { file in
                file.lines.enumerated().flatMap { index, line in
                    let words = " " + line.lowercased().split { !$0.isLetter && $0 != "_" }.joined(separator: " ") + " "
                    return Glossary.retiredPhrases.filter { words.contains(" \($0) ") }
                        .map { Violation(path: file.path, line: index + 1, reason: "\"\($0)\": say it plainly") }
                }
            })
    }

    @Test func `finds old words within names only as whole words`() {
        #expect(Glossary.words(of: "RestartPolicy") == ["Restart", "Policy"])
        #expect(Glossary.words(of: "LogBook") == ["Log", "Book"])
        let file = SourceFile(path: "a.swift", text: "public final class LogBook {\n    struct Wish {}\n}\n")
        #expect(Glossary.types(in: file, isNested: true).map(\.name) == ["LogBook", "Wish"])
        #expect(Glossary.types(in: file, isNested: false).map(\.name) == ["LogBook"])
    }
}
