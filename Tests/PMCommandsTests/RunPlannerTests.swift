import PMAPI
import PMClient
import PMConfig
import PMSystem
import Testing

@testable import PMCommands

/// Files that a test makes up.
private struct FakeProbe: FileProbe {
    var modes: [String: FileFacts]

    func facts(of path: String) -> FileFacts? { modes[path] }
    func realPath(of path: String) -> String? { modes[path] == nil ? nil : path }
    func entry(at path: String) -> PathTrust.Entry? { nil }
    func contents(of path: String) -> [UInt8]? { nil }
    func isWritable(_ directory: String) -> Bool { true }
    func takesSockets(_ directory: String) -> Bool { true }
}

@Suite struct RunPlannerTests {
    private static let files = FakeProbe(modes: [
        "/srv/app/dist/commands.json": FileFacts(kind: .regular), "/srv/app/tool.js": FileFacts(kind: .regular),
        "/srv/app/cli.mjs": FileFacts(kind: .regular, mode: 0o755),
        "/srv/app/bin/prog": FileFacts(kind: .regular, mode: 0o755),
        "/srv/app/folder": FileFacts(kind: .directory, mode: 0o755),
    ])

    private func planner(_ program: String, _ arguments: [String] = []) throws -> RunPlanner {
        let config = #"""
            {"containers":{"api":{"path":"dist/commands.json","commandable":true},
            "tool":{"path":"tool.js"},"hosted":{"path":"cli.mjs","commandable":true},
            "box":{"path":"image","type":"docker"},"gone":{"path":"nope.js"}},
            "mapping":{"api-prod":{"container":"api","cwd":"sub","cli":["--port","1"],"config":{"a":1},
            "env":{"K":"v","HOME":null},"connect":{"jsonrpc+unix:///s":{}}}}}
            """#
        let context = LocationContext(
            environment: ["PATH": "/bin", "HOME": "/h"], workingDirectory: "/srv/app", userID: 0, files: Self.files)
        var planner = RunPlanner(
            program: program, arguments: arguments, installation: Installation(libexec: "/lib/pm"), context: context)
        planner.configuration = try ConfigFile(path: "/srv/app/.pm.config.json", bytes: Array(config.utf8))
        planner.socketURL = "jsonrpc+unix:///srv/app/pm.sock"
        return planner
    }

    @Test func `a commandable service runs in the host, as its mapping says`() throws {
        let plan = try planner("api-prod", ["x"]).plan()
        #expect(plan.isHosted && plan.name == "api-prod" && plan.directory == "/srv/app/sub")
        #expect(plan.path == "node")
        #expect(plan.arguments == ["/lib/pm/node/host/main.mjs", "/srv/app/dist/commands.json", "--port", "1", "x"])
        #expect(
            plan.environment == [
                "K=v", "PATH=/bin", "PM_NAME=api-prod", "PM_SOCK=jsonrpc+unix:///srv/app/pm.sock", "PM_CHANNEL_FD=3",
                #"PM_CONFIG={"a":1}"#, #"PM_CONNECT={"jsonrpc+unix:///s":{}}"#,
            ])
    }

    @Test func `what a service that runs pm was given for itself does not reach the program`() throws {
        var planner = try planner("tool")
        planner.context.environment = [
            "PATH": "/bin", "PM_NAME": "outer", "PM_CONFIG": "{}", "PM_SOCK": "jsonrpc+unix:///outer", "PMX": "y",
            "NOTIFY_SOCKET": "/run/x", "NODE_CHANNEL_FD": "3", "PM_MARKER": "m", "LISTEN_FDS": "1",
        ]
        let names = try planner.plan().environment.map { String($0.prefix { $0 != "=" }) }
        #expect(Set(names) == ["PATH", "PM_NAME", "PM_SOCK", "PM_MARKER", "PMX", "NODE_OPTIONS"] && names.count == 6)
        planner.socketURL = nil
        #expect(try planner.plan().environment.contains("PM_SOCK=jsonrpc+unix:///outer"))
    }

    @Test func `root runs no service that is to have fewer rights`() throws {
        let config = #"""
            {"containers":{"a":{"path":"tool.js"}},
            "mapping":{"a":{"user":"nobody"},"b":{"container":"a","sandbox":"strict"},
            "c":{"container":"a","user":"root"}}}
            """#
        for (name, userID, reason) in [
            ("a", UInt32(0), #"only the daemon gives it the "user" of its mapping"#), ("b", 0, #"the "sandbox""#),
            ("c", 0, nil), ("a", 1000, nil), ("b", 1000, nil),
        ] {
            var planner = try planner(name)
            planner.configuration = try ConfigFile(path: "/srv/app/.pm.config.json", bytes: Array(config.utf8))
            planner.context.userID = userID
            do throws(APIError) {
                _ = try planner.plan()
                #expect(reason == nil, "\(name)")
            } catch {
                #expect(reason.map(error.message.contains) == true && error.exitCode == .notPermitted, "\(error)")
            }
        }
    }

    @Test func `a script that cannot be executed runs in node`() throws {
        var planner = try planner("tool", ["-x"])
        #expect(try planner.plan().arguments == ["/srv/app/tool.js", "-x"])
        planner.inspection = .inspectBreak
        #expect(try planner.plan().arguments == ["--inspect-brk", "/srv/app/tool.js", "-x"])
    }

    @Test func `an executable runs as it is, unless it is to be inspected`() throws {
        #expect(try planner("bin/prog", ["a"]).plan().path == "/srv/app/bin/prog")
        var script = try planner("./cli.mjs")
        #expect(try script.plan().path == "/srv/app/cli.mjs" && script.plan().name == "cli")
        script.inspection = .inspect
        #expect(try script.plan().arguments == ["--inspect", "/srv/app/cli.mjs"])
        #expect(try planner("hosted").plan().isHosted)
    }

    @Test func `for development Node watches what it loads, and pm what the host loads`() throws {
        var script = try planner("./cli.mjs", ["a"])
        script.development = ["--enable-source-maps"]
        script.inspection = .inspect
        #expect(
            try script.plan().arguments == ["--watch", "--enable-source-maps", "--inspect", "/srv/app/cli.mjs", "a"])
        var hosted = try planner("api-prod")
        hosted.development = ["--enable-source-maps"]
        let plan = try hosted.plan()
        #expect(plan.isHosted && plan.entry == "/srv/app/dist/commands.json")
        #expect(plan.arguments.prefix(2) == ["--enable-source-maps", "/lib/pm/node/host/main.mjs"])
        var binary = try planner("bin/prog")
        binary.development = ["--enable-source-maps"]
        #expect(try binary.plan().path == "/srv/app/bin/prog")
    }

    @Test func `a file of commands and a folder are hosted, and named after the folder`() throws {
        let plan = try planner("dist/commands.json").plan()
        #expect(plan.isHosted && plan.name == "dist" && plan.directory == "/srv/app")
        #expect(try planner("folder").plan().isHosted)
    }

    @Test func `another program is looked up by whoever executes it`() throws {
        var planner = try planner("sh", ["-c", "x"])
        planner.name = "shell"
        let plan = try planner.plan()
        #expect(plan.path == "sh" && plan.arguments == ["-c", "x"] && plan.environment.contains("PM_NAME=shell"))
    }

    @Test func `what cannot be run is refused with the reason`() throws {
        func error(_ program: String) throws -> APIError? {
            let planner = try planner(program)
            return #expect(throws: APIError.self) { try planner.plan() }
        }
        #expect(
            try error("box")?.message == "cannot run box here: only the daemon runs the runtime docker")
        #expect(try error("gone")?.message == "there is no program /srv/app/nope.js")
        #expect(try error("./missing")?.exitCode == .notFound)
        #expect(try error("api-prot/x")?.exitCode == .notFound)
    }
}
