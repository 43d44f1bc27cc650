import Glibc
import PMDiscovery
import PMModel
import Testing

/// Files that packages of the table name.
private let files = [
    "dist/commands.json": #"{"name":"x","dependencies":["db","cache"],"stateless":true,"commands":[]}"#,
    "plain.json": "{}", "server.mjs": "", "bin/cli.js": "", "bin/other": "", "index.js": "", "lib/index.js": "",
]

@Suite struct DiscoveryTests {
    @Test(arguments: [
        (
            #"{"name":"@org/svc","commands":"./dist/commands.json","bin":"bin/cli.js","main":"index.js"}"#,
            ["@org/svc dist/commands.json commandable stateless db,cache"]
        ),
        (
            #"{"name":"svc","commands":{"a":"dist/commands.json","@org/b":"./plain.json","c":"server.mjs"}}"#,
            [
                "a dist/commands.json commandable stateless db,cache", "@org/b plain.json commandable",
                "c server.mjs commandable",
            ]
        ),
        (#"{"name":"tool","bin":"./bin/cli.js","main":"index.js"}"#, ["tool bin/cli.js"]),
        (#"{"name":"@org/tool","bin":"./bin/cli.js"}"#, ["tool bin/cli.js"]),
        (
            #"{"name":"@org/tools","bin":{"mytool":"./bin/cli.js","@org/other":"bin/other"}}"#,
            ["mytool bin/cli.js", "other bin/other"]
        ),
        (#"{"name":"@org/lib","main":"index.js"}"#, ["@org/lib index.js"]),
        (#"{"name":"lib","main":"./index"}"#, ["lib index.js"]),
        (#"{"name":"lib","main":"lib"}"#, ["lib lib/index.js"]),
        (#"{"name":"lib","main":"lib/"}"#, ["lib lib/index.js"]),
        (#"{"name":"lib","main":"."}"#, ["lib index.js"]),
        (#"{"name":"lib","commands":null,"bin":{},"main":"index.js"}"#, ["lib index.js"]),
        (#"{"name":"lib","commands":{},"bin":"","main":"index.js"}"#, ["lib index.js"]),
        (#"{"name":"a","bin":{"x":"bin/other","x":"bin/cli.js"}}"#, ["x bin/cli.js"]),
        (
            #"{"name":"a","commands":"bin/../dist/./commands.json"}"#,
            ["a dist/commands.json commandable stateless db,cache"]
        ),
        ("\r\n {\"name\" : \"caf\\u00e9\", \"main\":\"index.js\"}\n", ["café index.js"]),
    ])
    func `a package's containers are found in the documented order`(text: String, expected: [String]) throws {
        let folder = try PackageFolder(files.merging(["package.json": text]) { $1 })
        #expect(try folder.found() == expected)
        #expect(folder.problems() == [])
    }

    @Test func `commands json beside the package comes after bin and before main`() throws {
        let beside = ["commands.json": #"{"dependencies":["db"],"commands":[]}"#, "index.js": "", "cli.js": ""]
        func found(_ text: String) throws -> [String] {
            try PackageFolder(beside.merging(["package.json": text]) { $1 }).found()
        }
        #expect(try found(#"{"name":"@o/a","main":"index.js"}"#) == ["@o/a commands.json commandable db"])
        #expect(try found(#"{"name":"a","bin":"cli.js"}"#) == ["a cli.js"])
        #expect(try found(#"{"name":"a"}"#) == ["a commands.json commandable db"])
    }

    @Test func `without a main it is index js, as for Node`() throws {
        #expect(try PackageFolder(["package.json": #"{"name":"a"}"#, "index.js": ""]).found() == ["a index.js"])
        let types = try PackageFolder(["package.json": #"{"name":"a","main":""}"#, "index.d.ts": ""])
        let error = #expect(throws: DiscoveryError.self) { try types.discover() }
        #expect(error?.kind == .nothing)
        let message = #"the package has nothing to run: no "commands", "bin", commands.json, "main" or index.js"#
        #expect(types.problems() == ["package.json: " + message])
    }

    @Test func `what names a container is told, and its path is a URL`() throws {
        let folder = try PackageFolder(["p q/package.json": #"{"name":"a","main":"i.js"}"#, "p q/i.js": ""])
        let container = try #require(try folder.discover("p q").containers.first)
        #expect(container.source == .main)
        #expect(container.definition == ContainerDefinition(path: "file://\(folder.path)/p%20q/i.js"))
    }

    @Test func `a package without a name is called as its folder`() throws {
        let folder = try PackageFolder(["my-svc/package.json": #"{"main":"i.js"}"#, "my-svc/i.js": ""])
        #expect(try folder.found("my-svc") == ["my-svc my-svc/i.js"])
    }

    @Test func `the folder can be given in any way, and the file in it`() throws {
        let folder = try PackageFolder(["a/package.json": #"{"name":"a","main":"i.js"}"#, "a/i.js": ""])
        for path in ["a", "./a/", "a/../a", folder.path + "/a", "a/package.json", "file://" + folder.path + "/a"] {
            #expect(try folder.found(path) == ["a a/i.js"], "\(path)")
        }
    }

    @Test func `a given name is for a single container`() throws {
        let one = try PackageFolder(["package.json": #"{"name":"a","bin":{"x":"i.js"}}"#, "i.js": ""])
        #expect(try one.found(name: "mine") == ["mine i.js"])
        #expect(
            one.problems(name: "..") == [
                #".: the name must not be or contain ".", ".." or empty parts between slashes"#
            ])
        let two = try PackageFolder(["package.json": #"{"name":"a","bin":{"x":"i.js","y":"i.js"}}"#, "i.js": ""])
        #expect(try two.found(name: "mine") == ["x i.js", "y i.js"])
        #expect(two.problems(name: "mine") == [#".: the name "mine" is not used, because the package has 2 services"#])
    }

    @Test(arguments: [
        ("", "package.json:1:1: the file is empty"),
        ("{", "package.json:1:2: expected a name in double quotes, but the text ends here"),
        ("{\n  \"name\": \"a\",\n  'main': 1}", "package.json:3:3: expected a name in double quotes"),
        (
            "\u{feff}{\"main\":\"index.js\"}",
            "package.json:1:1: the text begins with a byte order mark; save it without one"
        ),
        ("[]", "package.json:1:1: expected an object, found an array"),
        (#""x""#, #"package.json:1:1: expected an object, found "x""#),
        (#"{"name":7,"main":"index.js"}"#, "package.json:1:9: name: expected a name, found 7"),
        (#"{"name":"","main":"index.js"}"#, "package.json:1:9: name: the name must not be empty"),
        (
            #"{"name":"a/../b","main":"index.js"}"#,
            #"package.json:1:9: name: the name must not be or contain ".", ".." or empty parts between slashes"#
        ),
        (
            #"{"commands":["a"]}"#,
            "package.json:1:13: commands: expected a path, or an object of names and paths, found an array"
        ),
        (#"{"bin":true}"#, "package.json:1:8: bin: expected a path, or an object of names and paths, found true"),
        (#"{"bin":{"a":1}}"#, "package.json:1:13: bin.a: expected a path, found 1"),
        (#"{"bin":{"a":""}}"#, "package.json:1:13: bin.a: must not be empty"),
        (#"{"bin":{"":"index.js"}}"#, "package.json:1:12: bin.: the name must not be empty"),
        (
            #"{"bin":{"..":"index.js"}}"#,
            #"package.json:1:14: bin...: the name must not be or contain ".", ".." or empty parts between slashes"#
        ),
        (
            #"{"commands":{"../../x":"plain.json"}}"#,
            #"package.json:1:24: commands.../../x: the name must not be or contain ".", ".." or empty parts between slashes"#
        ),
        (#"{"bin":{"a":"nope.js"}}"#, #"package.json:1:13: bin.a: there is no file "nope.js""#),
        (#"{"bin":"../../../etc/passwd"}"#, #"package.json:1:8: bin: "../../../etc/passwd" leads out of the package"#),
        (#"{"commands":"/etc/passwd"}"#, #"package.json:1:13: commands: "/etc/passwd" leads out of the package"#),
        (#"{"main":"dist/../../x"}"#, #"package.json:1:9: main: "dist/../../x" leads out of the package"#),
        (#"{"bin":"a\u0000b"}"#, "package.json:1:8: bin: contains a NUL character"),
        (#"{"bin":"bin"}"#, #"package.json:1:8: bin: "bin" is a folder"#),
        (#"{"main":{"a":"index.js"}}"#, "package.json:1:9: main: expected a path, found an object"),
        (#"{"main":"gone"}"#, #"package.json:1:9: main: there is no file "gone""#),
        (#"{"commands":"broken.json"}"#, "broken.json:2:1: expected a value"),
        (#"{"commands":"list.json"}"#, "list.json:1:1: expected an object, found an array"),
        (#"{"commands":"odd.json"}"#, "odd.json:1:17: dependencies: expected an array of names"),
    ])
    func `a wrong package is a clear error with its place`(text: String, expected: String) throws {
        let more = [
            "broken.json": "{\"a\":\n}", "list.json": "[]",
            "odd.json": #"{"dependencies":"db","stateless":1,"commands":{}}"#,
        ]
        let folder = try PackageFolder(files.merging(more) { $1 }.merging(["package.json": text]) { $1 })
        #expect(folder.problems().first == expected)
        #expect(throws: DiscoveryError.self) { try folder.discover() }
    }

    @Test func `all problems of a package are told`() throws {
        let folder = try PackageFolder(["package.json": #"{"bin":{"a":1,"b":"x","c":"../y"}}"#])
        #expect(folder.problems().count == 3)
        let odd = #"{"dependencies":"db","stateless":1,"commands":{}}"#
        #expect(try PackageFolder(["package.json": "{}", "commands.json": odd]).problems().count == 3)
    }

    @Test func `what is missing or no package is told with the next step`() throws {
        let folder = try PackageFolder(["file": "", "empty/x": ""])
        #expect(folder.problems("gone") == ["gone: there is no such file or folder"])
        #expect(folder.problems("file") == ["file: is not a folder"])
        #expect(folder.problems("file/x") == ["file/x: there is no such file or folder"])
        #expect(folder.problems("empty") == ["empty/package.json: there is no such file or folder"])
        let error = #expect(throws: DiscoveryError.self) { try folder.discover("empty") }
        #expect(error?.kind == .missing)
        #expect(error?.hint?.contains("pm map") == true)
    }

    @Test func `a package file that is something else is an error and no hang`() throws {
        let folder = try PackageFolder(["x": ""])
        for name in ["dir/package.json", "fifo", "dev", "loop", "huge", "bytes"] { try folder.folder(name) }
        mkfifo(folder.path + "/fifo/package.json", 0o600)
        symlink("/dev/zero", folder.path + "/dev/package.json")
        symlink("package.json", folder.path + "/loop/package.json")
        try folder.put([UInt8](repeating: 0x20, count: 9 << 20), at: "huge/package.json")
        try folder.put(Array(#"{"name":""#.utf8) + [0xFF] + Array(#""}"#.utf8), at: "bytes/package.json")
        #expect(folder.problems("dir") == ["dir/package.json: is a folder"])
        #expect(folder.problems("fifo") == ["fifo/package.json: is not a regular file"])
        #expect(folder.problems("dev") == ["dev/package.json: is not a regular file"])
        #expect(folder.problems("loop") == ["loop/package.json: Too many levels of symbolic links"])
        #expect(folder.problems("huge") == ["huge/package.json: is longer than 8 MiB"])
        #expect(folder.problems("bytes").first?.hasPrefix("bytes/package.json:1:10: ") == true)
    }

    @Test(.enabled(if: geteuid() != 0)) func `a package file that may not be read is told`() throws {
        let folder = try PackageFolder(["package.json": "{}"])
        chmod(folder.path + "/package.json", 0)
        #expect(folder.problems() == ["package.json: Permission denied"])
    }

    @Test func `hostile sizes end soon`() throws {
        let many = (0..<100_000).map { #""k\#($0)":\#($0)"# }.joined(separator: ",")
        let deep = String(repeating: "[", count: 100_000)
        let folder = try PackageFolder([
            "many/package.json": #"{"bin":{\#(many)}}"#, "deep/package.json": #"{"main":\#(deep)"#,
            "glob/package.json":
                #"{"workspaces":["\#(String(repeating: "{a,", count: 1000))","\#(String(repeating: "**/*/", count: 400))x"]}"#,
        ])
        #expect(folder.problems("many") == ["many/package.json:1:8: bin: has more than 1000 entries"])
        #expect(folder.problems("deep").first?.contains("nested deeper than") == true)
        #expect(folder.problems("glob").count == 3)
    }
}
