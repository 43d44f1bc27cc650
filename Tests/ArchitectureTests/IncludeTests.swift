import Testing

/// What the C files of one folder include of each other: a header and the source of its name are one part.
struct IncludeGraph {
    /// The parts that each part includes, without itself.
    private(set) var edges: [String: Set<String>] = [:]

    init(_ files: [SourceFile]) {
        for file in files { edges[file.stem, default: []].formUnion([]) }
        for file in files {
            let included = file.text.matches(of: /(?m)^#include "(?:[^"\n]*\/)?([a-zA-Z0-9_]+)\.h"/)
                .map { String($0.output.1) }
            edges[file.stem, default: []].formUnion(included.filter { $0 != file.stem && edges[$0] != nil })
        }
    }

    /// The parts of a circle, in the order in which they include each other, or nil.
    func circle() -> [String]? {
        var finished: Set<String> = []
        for part in edges.keys.sorted() {
            if let found = circle(from: part, path: [], &finished) { return found }
        }
        return nil
    }

    private func circle(from part: String, path: [String], _ finished: inout Set<String>) -> [String]? {
        if let start = path.firstIndex(of: part) { return Array(path[start...]) + [part] }
        guard !finished.contains(part) else { return nil }
        for next in edges[part, default: []].sorted() {
            if let found = circle(from: next, path: path + [part], &finished) { return found }
        }
        finished.insert(part)
        return nil
    }

    func parts(thatInclude part: String) -> [String] {
        edges.filter { $0.value.contains(part) }.keys.sorted()
    }
}

@Suite struct IncludeTests {
    private static let initFolder = "CSources/pm-init"

    private static func files(_ folder: String) throws -> [SourceFile] {
        try SourceTree.files([folder], [".c", ".h"])
    }

    @Test(arguments: [initFolder, "CSources/CPMLinux"])
    func `no C file includes, over others, a file that includes it`(folder: String) throws {
        let files = try Self.files(folder)
        #expect(files.count > 20, "\(folder) is where C is")
        // The header of all headers stands for the folder, and is for those outside.
        let graph = IncludeGraph(files.filter { $0.stem != "cpmlinux" })
        #expect(graph.circle() == nil)
    }

    @Test func `only the files that compose pm-init see all of it`() throws {
        let graph = IncludeGraph(try Self.files(Self.initFolder))
        #expect(
            graph.parts(thatInclude: "pm_init") == [
                "image", "lifecycle", "loop", "reap", "reexec", "requests", "resume",
            ])
    }

    @Test func `one file alone changes the phase of pm-init`() throws {
        let changing = try Self.files(Self.initFolder).filter { $0.text.contains(#/(lifecycle\.|l->)phase = /#) }
        #expect(changing.map(\.path) == ["\(Self.initFolder)/pmd/lifecycle.c"])
    }

    @Test func `one file alone changes the state of a child`() throws {
        let changing = try Self.files(Self.initFolder).filter { $0.text.contains(#/(r|record)->state = /#) }
        #expect(changing.map(\.path) == ["\(Self.initFolder)/state/table.c"])
    }

    @Test func `decisions neither ask the kernel nor act`() throws {
        for part in ["phases", "pmd_restart", "hang_check", "stop_plan"] {
            let source = try SourceTree.file("\(Self.initFolder)/pmd/\(part).c")
            let included = source.text.matches(of: /(?m)^#include (\S+)/).map { String($0.output.1) }
            #expect(Set(included).isSubset(of: ["\"\(part).h\"", "\"times.h\""]), "\(part): \(included)")
        }
    }

    @Test func `a circle is found, over any number of files`() {
        func file(_ name: String, _ includes: String...) -> SourceFile {
            SourceFile(path: "CSources/x/\(name)", text: includes.map { "#include \"\($0).h\"\n" }.joined())
        }
        #expect(IncludeGraph([file("a.c", "b"), file("b.h", "c"), file("c.h")]).circle() == nil)
        #expect(IncludeGraph([file("a.c", "a", "b"), file("a.h"), file("b.h", "d"), file("c.c", "a")]).circle() == nil)
        let circle = IncludeGraph([file("a.h"), file("a.c", "b"), file("b.h"), file("b.c", "c"), file("c.h", "a")])
        #expect(circle.circle() == ["a", "b", "c", "a"])
        #expect(circle.parts(thatInclude: "a") == ["c"])
    }
}
