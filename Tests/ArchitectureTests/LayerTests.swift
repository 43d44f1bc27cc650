import Testing

@Suite struct LayerTests {
    @Test func `modules import only from lower layers`() throws {
        expectNone(try SourceTree.swift("Sources").flatMap(Layers.violations))
    }

    @Test func `an import of the same or a higher layer, or around the door to C, is found`() {
        let file = SourceFile(
            path: "Sources/PMLogs/A.swift",
            text:
                "// import PMDaemon\npublic import PMConfig\nimport CPMLinux\nimport struct PMModel.A\n@testable import pmd\n"
        )
        #expect(Layers.violations(in: file).map(\.line) == [2, 3, 5])
    }

    @Test(arguments: ["Foundation", "FoundationEssentials", "Dispatch", "ArgumentParser"])
    func `a daemon's module that needs this is found`(module: String) {
        let file = SourceFile(path: "Sources/PMDaemon/A.swift", text: "import \(module)\n")
        #expect(Layers.violations(in: file).count == 1)
    }

    @Test func `every module imports only what Package.swift lets it depend on`() throws {
        let declared = try PackageManifest(SourceTree.file("Package.swift"))
        let undeclared = try SourceTree.swift("Sources").flatMap { file in
            Layers.imports(of: file).filter { module, _ in
                Layers.level(of: module) != nil && !declared.dependencies(of: file.module).contains(module)
            }.map { Violation(path: file.path, line: $0.line, reason: "\($0.module) is not declared") }
        }
        expectNone(undeclared)
    }

    @Test func `every module imports what Package.swift lets it depend on`() throws {
        let declared = try PackageManifest(SourceTree.file("Package.swift"))
        var imported: [String: Set<String>] = [:]
        for file in try SourceTree.swift("Sources") {
            imported[file.module, default: []].formUnion(Layers.imports(of: file).map(\.module))
        }
        let unused = imported.flatMap { module, imports in
            declared.dependencies(of: module).filter { Layers.level(of: $0) != nil && !imports.contains($0) }
                .map { Violation(path: "Package.swift", line: 1, reason: "\(module) never imports \($0)") }
        }
        expectNone(unused)
    }

    @Test(arguments: ["pm", "pmd"])
    func `what is for the network is in no program but the gateway`(program: String) throws {
        let declared = try PackageManifest(SourceTree.file("Package.swift"))
        var reached: Set<String> = []
        var waiting = [program]
        while let module = waiting.popLast() {
            if reached.insert(module).inserted { waiting += declared.dependencies(of: module) }
        }
        #expect(reached.contains("PMSystem"))
        let foreign = reached.filter { $0.hasPrefix("NIO") || ["swift-nio", "COpenSSL", "PMGateway"].contains($0) }
        #expect(foreign == [])
    }

    @Test(arguments: ["NIOCore", "COpenSSL"])
    func `a daemon's module that reaches for the network is found`(module: String) {
        let file = SourceFile(path: "Sources/PMDaemon/A.swift", text: "import \(module)\n")
        #expect(Layers.violations(in: file).count == 1)
    }

    @Test func `the modules of Package.swift and of the layer table are the same`() throws {
        let declared = try PackageManifest(SourceTree.file("Package.swift")).modules
        #expect(declared.sorted() == Layers.table.flatMap(\.modules).sorted())
    }

    @Test func `Docs Architecture md shows the layer table`() throws {
        let rows = try SourceTree.file("Docs/Architecture.md").lines.filter { $0.hasPrefix("| ") }.map { line in
            line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
        }
        for (name, modules) in Layers.table {
            #expect(
                rows.contains { $0.first == name && $0.dropFirst().first == modules.joined(separator: ", ") }, "\(name)"
            )
        }
    }
}

/// What Package.swift declares, read from its text: the names of the modules and what each depends on.
struct PackageManifest {
    private var declared: [String: [String]] = [:]

    /// Targets are written `module("Name", ["Other"])`, `.target(name: "Name", …)`, `.executableTarget(name: …)` or
    /// `.systemLibrary(name: …)`.
    init(_ file: SourceFile) {
        let text = file.text
        for start in ["module(", ".target(", ".executableTarget(", ".systemLibrary("] {
            for piece in text.components(startingWith: start) {
                let names = piece.quoted
                guard let name = names.first, !piece.contains("Tests/"), !piece.contains("Examples/") else { continue }
                declared[name] = Array(names.dropFirst())
            }
        }
    }

    var modules: [String] { Array(declared.keys) }

    func dependencies(of module: String) -> [String] { declared[module] ?? [] }
}

extension String {
    /// For each call that begins with `start`, its text up to the closing parenthesis.
    fileprivate func components(startingWith start: String) -> [String] {
        let bytes = Array(utf8)
        let pattern = Array(start.utf8)
        let code = Code(self, .swift)
        return bytes.indices.compactMap { offset in
            guard code.bytes[offset...].starts(with: pattern),
                let close = code.closing(offset + pattern.count - 1)
            else { return nil }
            return String(decoding: bytes[offset..<close], as: UTF8.self)
        }
    }

    fileprivate var quoted: [String] {
        split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }
}
