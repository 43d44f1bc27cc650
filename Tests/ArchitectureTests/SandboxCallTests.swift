import Testing

/// The lists of system calls of a sandbox: CSources/CPMLinux/spawn/spawn_calls.h has them for the compiler, Docs/Sandbox.md
/// for readers.
enum CallLists {
    /// The calls of each group, by "allow files", "deny mounts"…
    static func inSource(_ text: String) -> [String: [String]] {
        var lists: [String: [String]] = [:]
        let lines = text.replacing("\\\n", with: " ").split(separator: "\n")
        for line in lines {
            guard let head = line.prefixMatch(of: /#define PM_(ALLOW|DENY)_([A-Z]+)\(CALL, LATER\)/) else { continue }
            let calls = line.matches(of: /(?:CALL|LATER)\(([a-z0-9_]+)/).map { String($0.output.1) }
            // Another architecture has none of these.
            if !calls.isEmpty { lists["\(head.output.1) \(head.output.2)".lowercased()] = calls }
        }
        return lists
    }

    static func inDocument(_ text: String) -> [String: [String]] {
        var lists: [String: [String]] = [:]
        var kind = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                kind = line.hasPrefix("### Allowed") ? "allow" : line.hasPrefix("### Denied") ? "deny" : ""
            }
            let cells = line.split(separator: "|")
            guard !kind.isEmpty, line.hasPrefix("| "), cells.count == 2 else { continue }
            let calls = cells[1].matches(of: /`([a-z0-9_]+)`/).map { String($0.output.1) }
            // A long group has several rows.
            let group = cells[0].trimmingPrefix(" ").prefix { $0 != " " }
            if !calls.isEmpty { lists[kind + " " + group, default: []] += calls }
        }
        return lists
    }
}

@Suite struct SandboxCallTests {
    private static let source = "CSources/CPMLinux/spawn/spawn_calls.h"

    @Test func `the documentation has the calls that the filters have`() throws {
        let source = CallLists.inSource(try SourceTree.file(Self.source).text)
        let document = CallLists.inDocument(try SourceTree.file("Docs/Sandbox.md").text)
        #expect(source.count == 16, "\(source.keys.sorted())")
        #expect(Set(source.keys) == Set(document.keys))
        for (group, calls) in source { #expect(calls == document[group], "\(group)") }
    }

    @Test func `no call is in two groups, and none is allowed that the other list denies`() throws {
        let lists = CallLists.inSource(try SourceTree.file(Self.source).text)
        let all = lists.values.joined()
        #expect(Set(all).count == all.count)
    }

    @Test func `a call that is missing in the documentation is found`() {
        let source = CallLists.inSource("#define PM_ALLOW_FILES(CALL, LATER) \\\n    CALL(read) LATER(openat2, 437)\n")
        #expect(source == ["allow files": ["read", "openat2"]])
        let document = CallLists.inDocument(
            "### Allowed\n\n| group | calls |\n|---|---|\n| files | `read` |\n| files | `write` |\n## End\n| a | `b` |\n"
        )
        #expect(document == ["allow files": ["read", "write"]])
    }
}
