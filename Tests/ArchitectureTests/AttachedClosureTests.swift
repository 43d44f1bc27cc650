import Testing

/// Closures that others can attach to an object after it was made: until then a call of them is lost, and nothing says whose it is.
enum AttachedClosures {
    /// Settable properties of classes and actors that hold a closure; `aliases` are the types that stand for one.
    static func found(in file: SourceFile, aliases: Set<Substring>) -> [Violation] {
        let kinds = /^ *(?:[@\w()]+ +)*?(class|actor|struct|enum|extension|protocol) +[A-Z]/
        let property = /^ *(?:[@\w()]+ +)*?var (\w+): +([^={]*)(=|$)/
        var open: [(indent: Int, kind: Substring)] = []
        var violations: [Violation] = []
        for (index, line) in Code(file.text, .swift).lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            if let kind = line.firstMatch(of: kinds) {
                open.removeAll { $0.indent >= indent }
                open.append((indent, kind.output.1))
            }
            guard let match = line.firstMatch(of: property), let owner = open.last(where: { $0.indent < indent }),
                owner.kind == "class" || owner.kind == "actor", indent == owner.indent + 4,
                !line.contains("private var"), !line.contains("private(set)")
            else { continue }
            let type = match.output.2
            let name = type.prefix { $0.isLetter }
            guard isClosure(type) || aliases.contains(name) else { continue }
            let reason = "\(match.output.1): pass it to the constructor, or to an observer"
            violations.append(Violation(path: file.path, line: index + 1, reason: reason))
        }
        return violations
    }

    /// The names of closures' types that a file declares.
    static func aliases(in file: SourceFile) -> [Substring] {
        Code(file.text, .swift).lines.flatMap { line in
            line.matches(of: /typealias (\w+)(?:<\w+>)? = [^=]*->/).map(\.output.1).map { Substring(String($0)) }
        }
    }

    /// True for a closure or an optional one; lists of closures that wait are none that is attached.
    private static func isClosure(_ type: Substring) -> Bool { type.contains("->") && !type.hasPrefix("[") }
}

@Suite struct AttachedClosureTests {
    @Test func `no closure is attached to an object after its init`() throws {
        let files = try SourceTree.swift("Sources")
        let aliases = Set(files.flatMap(AttachedClosures.aliases))
        #expect(aliases.contains("Completion"))
        expectNone(files.flatMap { AttachedClosures.found(in: $0, aliases: aliases) })
    }

    @Test func `finds properties of classes, and neither private ones nor those of values`() {
        let text = """
            typealias Body = () -> Void
            final class A {
                var onEnd: (@PMActor () -> Void)?
                public var onLine: (Int) -> Void = { _ in }
                var next: Body?
                private var body: Body?
                var waiting: [() -> Void] = []
                struct Events {
                    var onTrouble: (String) -> Void = { _ in }
                }
                var computed: () -> Void { next! }
            }
            """
        let file = SourceFile(path: "a.swift", text: text)
        let found = AttachedClosures.found(in: file, aliases: Set(AttachedClosures.aliases(in: file)))
        #expect(found.map(\.line) == [3, 4, 5])
    }
}
