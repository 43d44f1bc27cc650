import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm plugins` {
    /// Runs a test with a daemon that has plugins.
    static func with(
        _ plugins: JSONValue, containers: JSONValue = [:], mapping: JSONValue = [:],
        _ body: (TestProject) async throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.copy(TestPaths.examples + "/plugins", to: "plugins")
            let json: JSONValue = ["containers": containers, "mapping": mapping, "plugins": plugins]
            try project.write(".pm.config.json", json.text)
            try project.startDaemon()
            try await body(project)
        }
    }

    /// The row of a plugin.
    static func row(_ project: TestProject, _ name: String) throws -> JSONValue {
        try project.json("plugins", name).array?.first ?? .null
    }

    static func isReady(_ project: TestProject, _ name: String) throws -> Bool {
        try row(project, name)["state"] == "ready"
    }

    @Test func `lists each with its state and its offers, and says why one is missing`() async throws {
        try await Self.with(["./plugins/hello", "./plugins/python", "@acme/none"]) { project in
            try until("hello is ready") { try Self.isReady(project, "hello") }
            let rows = try project.json("plugins").array ?? []
            #expect(rows.map { $0["name"] } == ["hello", "python", "@acme/none"])
            #expect(rows.map { $0["state"] } == ["ready", "no process", "unusable"])
            #expect(
                rows[0]["commands"] == ["hello"] && rows[0]["probes"] == ["file"] && rows[1]["runtimes"] == ["python"])
            let table = try project.pm("plugins")
            #expect(table.output.contains("commands hello; probes file"))
            let reason = "there is no package @acme/none in \(project.directory)/node_modules or above"
            #expect(table.errors.contains(reason))
            // They are listed apart, and what is wrong is a problem of pm.
            #expect(try project.must("status", "-o", "json").contains("\"name\":\"pm-plugin") == false)
            #expect(
                try project.status("pm")["problems"]?.array?.contains { $0.string?.contains(reason) == true } == true)
            #expect(try project.pm("plugins", "other").code == 66)
            // It is found as soon as it is there.
            try project.write("node_modules/@acme/none/package.json", #"{"name":"@acme/none"}"#)
            try project.write(
                "node_modules/@acme/none/index.js",
                "exports.default = (config, program) => program.command('late').action(() => 'now');")
            try until("the package runs") { try Self.isReady(project, "@acme/none") }
            #expect(try project.must("late") == "now\n")
        }
    }

    @Test func `a command of a plugin is in the help, in the completion, in the metadata, and is called`() async throws
    {
        let hello: JSONValue = ["name": "./plugins/hello", "options": ["greeting": "Hi"]]
        try await Self.with([hello]) { project in
            try until("hello is ready") { try Self.isReady(project, "hello") }
            #expect(try project.must("hello", "Ada") == "Hi Ada\n")
            #expect(try project.must("hello", "Ada", "Hey", "-l") == "HEY ADA\n")
            let missing = try project.pm("hello")
            #expect(missing.code == 64 && missing.errors.contains("who is missing; usage: pm hello <who> [greeting]"))
            #expect(try project.must("--help").contains("PLUGIN SUBCOMMANDS:\n  hello  Greets somebody\n"))
            #expect(try project.must("hello", "--help").contains("USAGE: pm hello <who> [greeting]"))
            #expect(try project.must("plugins", "--commands") == "hello\n")
            let script = try project.must("--generate-completion-script", "bash")
            try project.write("complete.sh", script)
            let shell =
                "PATH=\(TestPaths.stage)/bin:$PATH; . ./complete.sh; COMP_WORDS=(pm hel); COMP_CWORD=1; COMP_LINE='pm hel'; "
                + "COMP_POINT=6; _pm pm hel pm; echo \"${COMPREPLY[@]}\""
            #expect(try project.run(["bash", "-c", shell]).output == "help hello\n")
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"hello","params":[{"who":"Bob"}]}"#)
            #expect(client.line()?.contains("\"result\":\"Hi Bob\"") == true)
            try client.send(#"{"jsonrpc":"2.0","id":2,"method":"$metadata","params":[]}"#)
            #expect(client.line()?.contains(#"{"name":"hello","config":{"cli":"#) == true)
        }
    }

    @Test func `a runtime of a plugin runs a Python program like any service`() async throws {
        let greeter: JSONValue = ["path": "./plugins/python/service.py", "type": "python", "commandable": true]
        try await Self.with(["./plugins/python"], containers: ["greeter": greeter]) { project in
            try project.must("start", "greeter", "--wait")
            #expect(try project.must("greeter", "greet", "Ada") == "Hello Ada from Python 3\n")
            let row = try project.status("greeter")
            #expect(row["type"] == "python" && row["ready"] == true)
            kill(pid_t(row["pid"]?.int ?? 0), SIGKILL)
            try until("it is started again") { try project.status("greeter")["restarts"] == 1 }
            try project.must("stop", "greeter")
            let map = try project.pm("map", "other", "./plugins/python/service.py", "-r", "ruby")
            #expect(map.code == 65 && map.errors.contains("the runtimes are nodejs, worker, docker, python;"))
            try project.must("map", "other", "./plugins/python/service.py", "-r", "python", "-c")
            try project.must("start", "other", "--wait")
        }
    }

    @Test func `a check of a plugin decides when a service is ready`() async throws {
        let mapping: JSONValue = [
            "container": "web", "ready": ["probe": ["name": "file", "options": ["path": "up"]]],
        ]
        try await Self.with(
            ["./plugins/hello"], containers: ["web": ["path": "./web.sh"]], mapping: ["web": mapping]
        ) { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.must("start", "web")
            try until("the check says what it sees") {
                try project.status("web")["probe"]?.string?.contains("ENOENT") == true
            }
            #expect(try project.status("web")["ready"] == false)
            try project.write("up", "")
            try until("it is ready") { try project.status("web")["ready"] == true }
        }
    }
}
