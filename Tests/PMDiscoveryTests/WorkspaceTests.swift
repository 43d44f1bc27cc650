import Glibc
import PMDiscovery
import Testing

@testable import PMDiscovery

private func package(_ name: String) -> String { #"{"name":"\#(name)","main":"i.js"}"# }

/// A root with these workspaces, and packages a, b, c/d and one in node_modules.
private func workspace(_ patterns: String, root: String = "") throws -> PackageFolder {
    var files = [
        "package.json": #"{"name":"root","workspaces":\#(patterns)\#(root)}"#, "packages/empty/x": "", "i.js": "",
    ]
    for (path, name) in [
        ("packages/a", "a"), ("packages/b", "@o/b"), ("packages/c/d", "d"), ("packages/.hidden", "hidden"),
        ("packages/node_modules/x", "x"), ("apps/web", "web"), ("apps/web2", "web2"),
    ] {
        files[path + "/package.json"] = package(name)
        files[path + "/i.js"] = ""
    }
    return try PackageFolder(files)
}

@Suite struct WorkspaceTests {
    @Test(arguments: [
        (#"["packages/*"]"#, ["a", "@o/b"]), (#"["./packages/*/"]"#, ["a", "@o/b"]),
        (#"{"packages":["packages/*"]}"#, ["a", "@o/b"]),
        (#"["packages/**"]"#, ["a", "@o/b", "d"]), (#"["**"]"#, ["web", "web2", "a", "@o/b", "d"]),
        (#"["packages/*","!packages/b"]"#, ["a"]), (#"["packages/**","!**/c/**"]"#, ["a", "@o/b"]),
        (#"["!packages/a","packages/*"]"#, ["a", "@o/b"]), (#"["packages/a","apps/web"]"#, ["web", "a"]),
        (#"["{packages,apps}/{a,web}"]"#, ["web", "a"]), (#"["apps/web?"]"#, ["web2"]),
        (#"["packages/[a-b]"]"#, ["a", "@o/b"]),
        (#"["packages/[!a]"]"#, ["@o/b"]), (#"["packages/.hidden"]"#, ["hidden"]), (#"["**/d"]"#, ["d"]),
        (#"["packages/*","packages/a"]"#, ["a", "@o/b"]),
    ])
    func `workspaces' patterns lead to packages`(patterns: String, expected: [String]) throws {
        let folder = try workspace(patterns)
        #expect(try folder.discover().containers.map(\.name) == expected)
        #expect(folder.problems() == [])
    }

    @Test func `each package has its report, the root first`() throws {
        let folder = try workspace(#"["packages/*"]"#, root: #","main":"i.js""#)
        try folder.put(Array("{".utf8), at: "packages/b/package.json")
        try folder.put(Array("{}".utf8), at: "packages/empty/package.json")
        let discovery = try folder.discover()
        #expect(
            discovery.packages.map { String($0.directory.dropFirst(folder.path.count)) } == [
                "", "/packages/a", "/packages/b", "/packages/empty",
            ])
        #expect(discovery.containers.map(\.name) == ["root", "a"])
        #expect(discovery.packages[3].outcome == .nothing)
        #expect(
            folder.problems() == [
                "packages/b/package.json:1:2: expected a name in double quotes, but the text ends here"
            ])
    }

    @Test func `when nothing at all is found the problems are the error`() throws {
        let folder = try PackageFolder(["package.json": #"{"workspaces":["p/*"]}"#, "p/a/package.json": "["])
        #expect(folder.problems().first?.hasPrefix("p/a/package.json:1:2: ") == true)
        #expect(throws: DiscoveryError.self) { try folder.discover() }
    }

    @Test func `two packages with one container name do not replace each other`() throws {
        let folder = try workspace(#"["packages/*"]"#)
        try folder.put(Array(package("a").utf8), at: "packages/b/package.json")
        #expect(try folder.found() == ["a packages/a/i.js"])
        #expect(folder.problems() == [#"packages/b/package.json: the name "a" is already used by packages/a"#])
    }

    @Test(arguments: [
        (#""packages/*""#, #"package.json:1:29: workspaces: expected an array of folders, found "packages/*""#),
        (#"[1]"#, "package.json:1:30: workspaces: expected a pattern, found 1"),
        (#"["nope/*"]"#, #"package.json:1:30: workspaces: "nope/*" matches no package"#),
        (#"["../other"]"#, #"package.json:1:30: workspaces: "../other" leads out of the package"#),
        (#"["a/../../b"]"#, #"package.json:1:30: workspaces: "a/../../b" leads out of the package"#),
        (#"["/etc/*"]"#, #"package.json:1:30: workspaces: "/etc/*" leads out of the package"#),
    ])
    func `a pattern that cannot be used is named with its place`(patterns: String, expected: String) throws {
        #expect(try workspace(patterns, root: #","main":"i.js""#).problems() == [expected])
    }

    @Test func `links that go round in circles end, and a linked package is found once`() throws {
        let folder = try workspace(#"["packages/*","**"]"#)
        symlink("..", folder.path + "/packages/up")
        symlink("loop", folder.path + "/packages/loop")
        symlink("../apps/web", folder.path + "/packages/linked")
        symlink("../../c", folder.path + "/packages/c/up")
        let discovery = try folder.discover()
        #expect(discovery.containers.map(\.name) == ["web", "web2", "a", "@o/b", "d"])
        #expect(discovery.packages.count == 6)
        #expect(folder.problems() == [])
        var walk = FolderWalk(root: folder.path)
        let pattern = try #require(try FolderPattern.patterns(of: "**").first)
        #expect(try walk.folders(matching: pattern).allSatisfy { !$0.contains("/up") && !$0.contains("/linked") })
    }

    @Test(arguments: [
        ("*", "abc", true), ("a*c", "abbc", true), ("a*c", "abbd", false), ("*a*b*", "xxaxxbxx", true),
        ("?", "ü", true),
        ("?", "", false), ("*", ".a", false), (".*", ".a", true), ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false),
        ("[", "[", true),
        ("[]a]", "]", true), ("a[b", "a[b", true), ("**", "a", true),
        ("a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
    ])
    func `a glob matches as a shell's does`(pattern: String, name: String, expected: Bool) {
        #expect(Glob(pattern).matches(name) == expected)
    }

    @Test func `braces stand for each of their alternatives`() throws {
        func expanded(_ text: String) throws -> [String] { try Braces.expand(Array(text.unicodeScalars)) }
        #expect(try expanded("a/{b,c}/d") == ["a/b/d", "a/c/d"])
        #expect(try expanded("{a,{b,c}}") == ["a", "b", "c"])
        #expect(try expanded("{a,}b") == ["ab", "b"])
        #expect(try expanded("{a}{,{") == ["{a}{,{"])
        #expect(try expanded("plain") == ["plain"])
        #expect(throws: WorkspacePatternProblem.self) { try expanded(String(repeating: "{a,b}", count: 20)) }
    }
}
