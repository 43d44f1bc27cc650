import JSON
import PMTestSupport
import Testing

/// Examples of the reference's documentation of akala pm, typed as they are written there (Docs/Compatibility.md).
@Suite(.serialized) struct `Examples of the reference` {
    private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    @Test func `a package with commands is discovered, started, called and stopped`() async throws {
        try await TestProject.with { project in
            try project.write("package.json", #"{ "name": "my-app", "commands": "./dist/commands.json" }"#)
            try project.addCommands("dist")
            try project.must("start", "pm")
            #expect(try project.must("discover", ".") == "my-app\n")
            try project.must("start", "my-app")
            // The call waits for the service, which is starting.
            #expect(try project.must("my-app", "doSomething", "arg1", "arg2") == "arg1 and arg2\n")
            #expect(try project.must("status").contains("my-app  up     yes"))
            #expect(try project.must("status", "my-app").contains("my-app  up     yes"))
            try until("the call is in the log") {
                try project.must("log", "my-app").contains("[my-app] Server listening on port 3000\n")
            }
            #expect(try project.must("restart", "my-app").hasPrefix("my-app "))
            #expect(try project.must("my-app", "doSomething", "3", "4") == "3 and 4\n")
            #expect(try project.must("stop", "my-app") == "my-app stopped\n")
            #expect(try project.must("stop") == "pm stopped\n")
        }
    }

    @Test func `an executable of a package gets the arguments of its start`() async throws {
        try await TestProject.with { project in
            try project.write(
                "tool/package.json", #"{ "name": "@myorg/cli-tool", "bin": { "mytool": "./bin/cli.js" } }"#)
            try project.write(
                "tool/bin/cli.js", "console.log(process.argv.slice(2).join());\nsetInterval(() => {}, 1e6);\n")
            try project.startDaemon()
            let discovered = try project.run([TestPaths.pm, "discover", "."], in: "tool")
            #expect(discovered.code == 0 && discovered.output == "mytool\n", "\(discovered)")
            try project.must("start", "mytool", "arg1", "arg2")
            try until("mytool has written its arguments") {
                try project.must("log", "mytool").contains("[mytool] arg1,arg2\n")
            }
        }
    }

    @Test(arguments: ["nodejs", "worker"])
    func `a list of commands runs, whether it may be called or not`(runtime: String) async throws {
        try await TestProject.with { project in
            try project.addCommands("dist")
            try project.startDaemon()
            try project.must("map", "my-app", "./dist/commands.json", "--runtime", runtime)
            try project.must("start", "my-app", "--wait")
            try until("its $init has run") {
                try project.must("log", "my-app").contains("[my-app] Server listening on port 3000\n")
            }
            let refused = try project.pm("my-app", "doSomething", "1", "2")
            #expect(refused.code != 0, "\(refused)")
            try project.must("map", "my-app", "./dist/commands.json", "--runtime", runtime, "--commandable")
            try project.must("restart", "my-app", "--wait")
            #expect(try project.must("my-app", "doSomething", "1", "2") == "1 and 2\n")
        }
    }

    @Test(arguments: [["--name", "two"], ["--new"]])
    func `a service with several instances runs under another name, too`(options: [String]) async throws {
        try await TestProject.with { project in
            try project.addCommands("dist")
            try project.configure(
                ["my-app": ["path": "./dist/commands.json", "commandable": true, "stateless": true]],
                mapping: ["my-app": ["container": "my-app", "instances": 2]])
            try project.startDaemon()
            let outcome = try project.run([TestPaths.pm, "start", "my-app", "--wait"] + options)
            let name = String(outcome.output.prefix { $0 != " " })
            #expect(outcome.code == 0 && name != "my-app" && outcome.output.contains("is up"), "\(outcome)")
            #expect(try project.status("\(name)#2")["ready"]?.bool == true)
        }
    }

    @Test func `a package with a scope is started by its whole name`() async throws {
        try await TestProject.with { project in
            try project.write(
                "package.json",
                #"{ "name": "@myorg/my-service", "main": "dist/index.js", "commands": "./dist/commands.json" }"#)
            try project.addCommands("dist")
            try project.startDaemon()
            #expect(try project.must("discover", ".") == "@myorg/my-service\n")
            try project.must("start", "@myorg/my-service", "--wait")
            #expect(try project.must("@myorg/my-service", "doSomething", "1", "2") == "1 and 2\n")
        }
    }

    @Test func `a module exports a container whose commands are in files`() async throws {
        try await TestProject.with { project in
            try project.addCommands("commands")
            try project.write(
                "index.mjs",
                """
                import { Container } from '@akala/pm';
                export const metadata = {};
                export const container = new Container('my-service', null);
                container.register({ name: 'doSomething', config: { fs: { path: './commands/do-something.js' } } });
                """)
            try project.startDaemon()
            try project.must("map", "my-service", "./index.mjs", "--commandable")
            try project.must("start", "my-service", "--wait")
            #expect(try project.must("my-service", "doSomething", "1", "2") == "1 and 2\n")
        }
    }

    /// The configuration of the reference's documentation, with paths that exist.
    private static let configuration = """
        {
          "containers": {
            "my-app": {
              "path": "./app/commands.json",
              "type": "nodejs",
              "commandable": true,
              "stateless": false,
              "dependencies": ["database", "cache"]
            },
            "database": {
              "path": "./app/commands.json",
              "type": "nodejs",
              "commandable": true
            },
            "cache": { "path": "./cache.sh" }
          },
          "mapping": {
            "my-app-prod": {
              "container": "my-app",
              "autostart": true,
              "cwd": "./run",
              "cli": ["--port", "8080"],
              "config": {
                "environment": "production"
              }
            }
          },
          "plugins": [],
          "setup": {
            "packages": ["@akala/my-service"]
          }
        }

        """

    @Test func `each key of a container and of a mapping takes effect, and pm keeps the file`() async throws {
        try await TestProject.with { project in
            try project.addCommands("app")
            try project.script("cache.sh", "exec sleep 1000")
            try project.write("run/.keep", "")
            try project.write(".pm.config.json", Self.configuration)
            try project.startDaemon()
            for name in ["database", "cache", "my-app-prod"] {
                try project.until(name, "ready") { $0["ready"]?.bool == true }
            }
            #expect(try project.status("my-app")["running"]?.bool == false)
            let settings: JSONValue = [
                .string(project.directory + "/run"), "--port 8080", #"{"environment":"production"}"#,
            ]
            #expect(try project.client().call("my-app-prod.settings")?["result"] == settings)
            // pm has added only its own mapping.
            let kept = Self.lines(try project.read(".pm.config.json"))
            for line in Self.lines(Self.configuration) where !line.hasSuffix("}") {
                #expect(kept.contains { $0.hasPrefix(line) }, "\(line)")
            }
        }
    }

    @Test func `services that are mapped get their dependencies by an edit of the file`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            for name in ["auth", "gateway", "users"] { try project.addCommands("services/\(name)") }
            try project.must("map", "auth-service", "./services/auth/commands.json", "--commandable")
            try project.must("map", "api-gateway", "./services/gateway/commands.json", "--commandable")
            try project.must("map", "user-service", "./services/users/commands.json", "--commandable")
            let text = try project.read(".pm.config.json")
            let path = "\"path\": \"./services/gateway/commands.json\""
            #expect(text.contains(path), "\(text)")
            let dependencies = #""dependencies": ["auth-service", "user-service"]"#
            try project.write(".pm.config.json", text.replacing(path, with: "\(path), \(dependencies)"))
            try project.must("start", "api-gateway", "--wait")
            for name in ["auth-service", "user-service"] {
                #expect(try project.status(name)["ready"]?.bool == true)
            }
        }
    }

    @Test func `a workflow starts services, and can be run again`() async throws {
        try await TestProject.with { project in
            for name in ["database", "web-server"] { try project.script("\(name).sh", "exec sleep 1000") }
            try project.configure(["database": ["path": "./database.sh"], "web-server": ["path": "./web-server.sh"]])
            try project.write(
                "deploy.json",
                """
                {
                  "workflow": "deploy",
                  "steps": [
                    { "name": "Start database", "container": "@akala/pm", "command": "start", "args": ["database"] },
                    { "name": "Start web server", "container": "@akala/pm", "command": "start", "args": ["web-server"] }
                  ]
                }
                """)
            try project.startDaemon()
            try project.must("do", "deploy.json")
            let pids = try ["database", "web-server"].map { try project.status($0)["pid"]?.int }
            #expect(!pids.contains(nil))
            try project.must("do", "deploy.json")
            #expect(try ["database", "web-server"].map { try project.status($0)["pid"]?.int } == pids)
        }
    }

    @Test func `a circle of dependencies is shown when the daemon starts a service of it`() async throws {
        try await TestProject.with { project in
            try project.script("a.sh", "exec sleep 1000")
            try project.configure(
                [
                    "A": ["path": "./a.sh", "dependencies": ["B"]], "B": ["path": "./a.sh", "dependencies": ["C"]],
                    "C": ["path": "./a.sh", "dependencies": ["A"]],
                ], mapping: ["A": ["container": "A", "autostart": true]])
            try project.startDaemon()
            let circle = "Circular dependency detected: A -> B -> C -> A"
            try project.until("A", "waiting, with the circle") { row in
                row["state"]?.string == "waiting" && row["problems"]?[0]?.string?.hasSuffix(circle) == true
            }
            #expect(try project.pm("status").errors.contains(circle))
            #expect(try project.must("log", "pm").contains("[pm]!autostart: \(circle)\n"))
        }
    }

    @Test func `a program that pm runs connects as the documentation shows`() async throws {
        try await TestProject.with { project in
            try project.addCommands("app")
            try project.configure(["my-app": ["path": "./app/commands.json", "commandable": true]])
            try project.write("client.mjs", Self.client)
            try project.startDaemon()
            try project.must("connect", "my-app", "local")
            try project.must("start", "my-app", "--wait")
            let outcome = try project.pm("run", "./client.mjs")
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.output == "arg1 and arg2\n3 and 4\n5 and 6\napp true\nInteract\n", "\(outcome)")
        }
    }

    /// The calls of the reference's documentation; connectByPreference comes from @akala/pm.
    private static let client = """
        import { sidecar, connect, connectByPreference, defaultOrders, Container, interact } from '@akala/pm';

        const sc = sidecar({ preferRemote: true });
        const myApp = await sc['my-app'];
        console.log(await myApp.dispatch('doSomething', 'arg1', 'arg2'));

        const { connect: connectPromise, container: metadata } = await connect('my-app');
        const serveMetadata = await connectPromise;
        const { container, processor } = await connectByPreference(serveMetadata, { metadata }, ...defaultOrders);
        console.log(processor && await container.dispatch('doSomething', 3, 4));

        const localContainer = new Container('local');
        localContainer.registerMultiple(myApp);
        console.log(await localContainer.dispatch('doSomething', 5, 6));

        const { name, commands } = await (await sc['pm']).dispatch('reload-metadata', 'my-app');
        console.log(name, commands.some((command) => command.name === 'doSomething'));

        try {
          interact('Container started successfully', 'my-app');
        } catch (error) {
          console.log(error.code === 'INTERACT' && error.as === 'my-app' ? 'Interact' : error);
        }
        process.exit();
        """
}

extension TestProject {
    /// Writes a `commands.json` with `doSomething`, which joins two values, and `settings`, which answers what the
    /// configuration has set.
    fileprivate func addCommands(_ folder: String) throws {
        try write(
            "\(folder)/commands.json",
            """
            { "name": "app", "commands": [
              { "name": "$init", "config": { "fs": { "path": "./init.js" }, "": { "inject": [] } } },
              { "name": "doSomething", "config": { "fs": { "path": "./do-something.js" } } },
              { "name": "settings", "config": { "fs": { "path": "./settings.js" } } }
            ] }
            """)
        try write("\(folder)/init.js", "exports.default = () => console.log('Server listening on port 3000');\n")
        try write("\(folder)/do-something.js", "exports.default = (one, two) => `${one} and ${two}`;\n")
        try write(
            "\(folder)/settings.js",
            "exports.default = () => [process.cwd(), process.argv.slice(2).join(' '), process.env.PM_CONFIG];\n")
    }
}
