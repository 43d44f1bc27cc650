import Testing

/// The size budget. What is over it lacks a noun of its own.
enum Budget {
    static let fileLines = 400
    static let functionLines = 40
    static let parameters = 4
    /// Files in a folder; more get folders of their own.
    static let folderFiles = 25

    /// Folders with too many of these files, each with its number.
    static func fullFolders(of paths: [String]) -> [String: Int] {
        let folders = paths.map { $0.split(separator: "/").dropLast().joined(separator: "/") }
        return Dictionary(folders.map { ($0, 1) }, uniquingKeysWith: +).filter { $0.value > folderFiles }
    }

    static func violations(in file: SourceFile) -> [Violation] {
        let count = file.lines.count - 1
        let long = count > fileLines ? [Violation(path: file.path, line: count, reason: "\(count) lines")] : []
        guard let language = Code.language(of: file.path) else { return long }
        let isTest = file.path.hasPrefix("Tests/")
        return long
            + Code(file.text, language).functions.flatMap { function in
                // The body of a group of JavaScript tests is a list, not a function.
                let isGroup = isTest && file.lines[function.line - 1].contains("describe(")
                return isGroup ? [] : violations(of: function, in: file.path)
            }
    }

    private static func violations(of function: Function, in path: String) -> [Violation] {
        var reasons: [String] = []
        if function.length > functionLines { reasons.append("\(function.name) has \(function.length) lines") }
        if function.parameters > parameters { reasons.append("\(function.name) takes \(function.parameters) values") }
        return reasons.map { Violation(path: path, line: function.line, reason: $0) }
    }
}

@Suite struct SizeTests {
    @Test func `files, functions and parameter lists keep to the budget`() throws {
        let places = ["Sources", "CSources", "Tests", "Benchmarks", "Examples", "scripts"]
        let files = try SourceTree.files(places, [".swift", ".c", ".h", ".js", ".mjs", ".cjs", ".sh", ".py"])
        expectNone(files.flatMap(Budget.violations))
    }

    @Test func `folders keep to the budget`() throws {
        let places = ["Sources", "CSources", "Tests", "Benchmarks", "Examples", "scripts", "Packaging"]
        #expect(Budget.fullFolders(of: try SourceTree.paths(places)) == [:])
        let names = (1...26).map { "a/b/\($0).c" } + (1...25).map { "a/\($0).c" }
        #expect(Budget.fullFolders(of: names) == ["a/b": 26])
    }

    @Test func `a file over the budget is found`() {
        let file = SourceFile(path: "a.sh", text: String(repeating: "\n", count: 401))
        #expect(Budget.violations(in: file) == [Violation(path: "a.sh", line: 401, reason: "401 lines")])
    }

    @Test(arguments: [
        ("a.swift", "func f(a: Int, b: [Int: (Int, Int)], c: Int) throws -> Int where A: B {", 3),
        ("a.swift", "    public init?(_ a: A<B, C>, b: () -> Void = {}, c: Int,\n d: Int, e: Int) {", 5),
        ("a.swift", "func `a \"{ name`() async {", 0),
        ("a.c", "static int f(int a, int (*b)(int, int), char c[4], void *d, int e)\n{", 5),
        ("a.mjs", "async function f({ a, b }, [c, d]) {", 2),
        ("a.mjs", "const f = (a, b = /[/\"]{/g, c, d, e) => {", 5),
        ("a.mjs", "class A { #f(a) {", 1),
    ])
    func `a function is measured`(path: String, head: String, parameters: Int) throws {
        let text = head + String(repeating: "\n\"}\"; // }", count: 41) + "\n}\n}\n"
        let functions = Code(text, try #require(Code.language(of: path))).functions
        #expect(functions.map(\.parameters) == [parameters])
        #expect(functions.map(\.length) == [42 + head.split(separator: "\n").count])
    }

    @Test func `what only looks like a function is not measured`() {
        #expect(Code("int a[] = {1};\nif (x) {\n}\nstruct s {\n};\n", .c).functions == [])
        #expect(Code("if (x) {\n}\nfor (const a of f(b)) {\n}\n", .javaScript).functions == [])
        #expect(
            Code("protocol P {\n  func f()\n  var a: Int\n}\nlet f = { 1 }\nx.init(1) { 2 }\n", .swift).functions == [])
    }

    @Test func `an initializer that only stores its values takes one`() {
        let stores = "init(a: A, b: B) {\n    self.a = a\n    c = b.rawValue\n}\n"
        #expect(Code(stores, .swift).functions.map(\.parameters) == [1])
        let computes = "init(a: A, b: B) {\n    self.a = a\n    self.b = a + b\n}\n"
        #expect(Code(computes, .swift).functions.map(\.parameters) == [2])
    }

    @Test func `braces in strings, interpolations, raw strings and comments do not count`() {
        let text =
            "func f() {\n  a(\"\\(b(\"{\"))\") // {\n  #\"\\(\"{\"#; /* { /* { */ { */\n  \"\"\"\n  { \"\n  \"\"\"\n}\nfunc g() {\n}\n"
        #expect(Code(text, .swift).functions.map(\.length) == [7, 2])
        let script = "function f() {\n  a(`{${b('{')}{`) // {\n  x = /[{/]{/\n}\nfunction g() {\n}\n"
        #expect(Code(script, .javaScript).functions.map(\.length) == [4, 2])
    }
}
