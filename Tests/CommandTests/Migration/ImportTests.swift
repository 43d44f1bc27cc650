import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm import` {
    /// A project of the reference implementation, with services of every kind of path.
    private func project(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write(
                "svc/commands.json",
                #"{"name":"svc","commands":[{"name":"$init","config":{"fs":{"path":"./init.mjs"},"":{"inject":["context.state"]}}}]}"#
            )
            try project.write(
                "svc/init.mjs", "export default async (state) => console.log('state', await state.get('colour'));\n")
            try project.write(
                "node_modules/@akala/cron/commands.json",
                #"{"name":"cron","commands":[{"name":"hello","config":{"fs":{"path":"./hello.mjs"},"":{"inject":[]}}}]}"#
            )
            try project.write("node_modules/@akala/cron/hello.mjs", "export default () => 'from the package';\n")
            _ = try project.sleeper("web")
            try project.write(".akala.json", Self.akala(in: project.directory))
            try body(project)
        }
    }

    private static func akala(in directory: String) -> String {
        """
        {
          "plugins": ["@akala/pm/akala"],
          "pm": {
            "containers": {
              "pm": { "commandable": true, "path": "/opt/pm/commands.json" },
              "svc": {
                "type": null, "path": "file://\(directory)/svc/commands.json", "commandable": true,
                "dependencies": ["web"]
              },
              "cron": { "type": "nodejs", "path": "npm:///@akala/cron/commands.json", "commandable": true },
              "later": { "path": "npm:///not-yet/commands.json", "commandable": true },
              "web": { "path": "./web.sh", "windowsHide": true }
            },
            "mapping": {
              "pm": { "container": "pm", "connect": {
                "jsonrpc+unix://\(directory)/pm.sock": {}, "jsonrpc+tcp://0.0.0.0:31416": {} } },
              "svc": { "container": "svc", "autostart": true, "cli": ["--port", "1"],
                "connect": { "jsonrpc+unix://\(directory)/svc.sock": {} } }
            },
            "setup": { "packages": ["@akala/cron"] }, "plugins": []
          },
          "commands": { "sdk": "x" },
          "svc": { "colour": "green" },
          "cron": {}
        }

        """
    }

    @Test func `makes a configuration with which the services of the reference run`() async throws {
        try await project { project in
            let refused = try project.pm("start", "pm")
            #expect(refused.code == 65)
            #expect(refused.errors.contains("\(project.directory)/.akala.json has services"), "\(refused.errors)")
            #expect(refused.errors.contains("\nhint: pm import .akala.json "), "\(refused.errors)")
            let done = try project.pm("import", ".akala.json")
            #expect(done.code == 0, "\(done)")
            #expect(
                done.output
                    == "wrote \(project.directory)/.pm.config.json\nadded svc\nadded cron\nadded later\nadded web\n")
            #expect(done.errors.contains("containers.web.windowsHide has no counterpart"))
            #expect(done.errors.contains("the daemon is not opened at jsonrpc+tcp://0.0.0.0:31416"))
            let made = try JSONValue(parsing: try project.read(".pm.config.json"))
            let containers = made["containers"]
            #expect(keys(containers) == ["svc", "cron", "later", "web"])
            #expect(containers?["svc"]?["path"] == "./svc/commands.json" && containers?["svc"]?["type"] == "nodejs")
            #expect(containers?["cron"]?["path"] == "./node_modules/@akala/cron/commands.json")
            #expect(containers?["later"]?["path"] == "npm:///not-yet/commands.json")
            #expect(made["mapping"]?["svc"]?["config"] == ["colour": "green"])
            #expect(made["mapping"]?["svc"]?["cli"] == ["--port", "1"])
            #expect(made["setup"]?["packages"] == ["@akala/cron"])
            try project.startDaemon()
            try project.until("svc", "started with the daemon") { $0["ready"]?.bool == true }
            #expect(try project.must("log", "svc").contains("[svc] state green\n"))
            #expect(try project.must("connect", "svc").contains("svc.sock"))
            try project.must("start", "cron", "--wait")
            #expect(try project.must("cron", "hello") == "from the package\n")
            // A package that was installed since is found by the URL.
            try project.copy("\(project.directory)/node_modules/@akala/cron", to: "node_modules/not-yet")
            try project.must("start", "later", "--wait")
            #expect(try project.must("later", "hello") == "from the package\n")
        }
    }

    @Test func `adds to a file that is there, and refuses what it cannot convert`() async throws {
        try await TestProject.with { project in
            let akala = #"{"pm":{"containers":{"web":{"path":"./web.sh"}},"setup":{"packages":["x"]}}}"#
            try project.write("full/.akala.json", akala)
            try project.write("full/.pm.config.json", #"{"containers":{"web":{"path":"./other.sh"}}}"#)
            let there = try project.pm("import", "full")
            #expect(there.code == 73 && there.errors.contains("hint: --force replaces"), "\(there)")
            #expect(try project.read("full/.pm.config.json").contains("other.sh"))
            #expect(try project.pm("import", "full", "--force").code == 0)
            let made = try JSONValue(parsing: try project.read("full/.pm.config.json"))
            #expect(made["containers"]?["web"]?["path"] == "./web.sh" && made["setup"]?["packages"] == ["x"])
            let again = try project.json("import", "full")
            #expect(again["services"] == [["name": "web", "change": "same"]] && again["notes"] == [])
            try project.write("none/.akala.json", #"{"plugins":[]}"#)
            let none = try project.pm("import", "none/.akala.json")
            #expect(none.code == 65 && none.errors.contains("has no section \"pm\""), "\(none)")
            try project.write("broken/.akala.json", "{\n  nonsense\n}")
            let broken = try project.pm("import", "broken")
            #expect(broken.code == 65 && broken.errors.contains("/broken/.akala.json:2:3: "), "\(broken)")
            try project.write("wrong/.akala.json", #"{"pm":{"containers":{"web":{"path":"x","type":"perl"}}}}"#)
            let wrong = try project.pm("import", "wrong")
            #expect(wrong.code == 65 && wrong.errors.contains("containers.web.type"), "\(wrong)")
            #expect(try project.run(["ls", "-A", "wrong"]).output == ".akala.json\n")
            #expect(try project.pm("import", "ghost").code == 66)
        }
    }

    // MARK: files of other process managers

    /// Five apps: a program of Node, two instances, an interpreter, npm, and a line for a shell.
    private func ecosystem(_ body: (TestProject) async throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write(
                "ecosystem.config.js",
                """
                module.exports = {
                  apps: [
                    { name: 'api', script: 'server.js', cwd: './api', args: '--port 1', wait_ready: true,
                      env: { STAGE: 'development' }, env_production: { STAGE: 'production' }, kill_timeout: 3000 },
                    { name: 'web', script: './web.js', instances: 2, exec_mode: 'cluster', watch: true },
                    { name: 'worker', script: 'worker.sh', interpreter: 'sh', max_restarts: 5 },
                    { name: 'tool', script: 'npm', args: 'start', cron_restart: '0 3 * * *' },
                    { name: 'line', script: 'echo started && sleep 1000', env: { TOKEN: process.env.TOKEN || 'none' } },
                  ],
                };
                """)
            let idle = "setInterval(() => {}, 1e6);\n"
            try project.write(
                "api/server.js", "console.log(process.argv[3], process.env.STAGE); process.send('ready');\n" + idle)
            try project.write("web.js", idle)
            try project.write("worker.sh", "exec sleep 1000\n")
            try project.write("package.json", #"{"scripts":{"start":"node web.js"}}"#)
            try await body(project)
        }
    }

    @Test func `five apps of an ecosystem file are migrated, and all run`() async throws {
        try await ecosystem { project in
            let plan = try project.run(
                [TestPaths.pm, "import", "ecosystem.config.js", "--plan", "--env", "production", "-o", "json"],
                adding: ["TOKEN": "of the user"])
            #expect(plan.code == 0, "\(plan)")
            let planned = try JSONValue(parsing: plan.output)
            #expect(planned["services"]?.array?.count == 5)
            #expect(planned["configuration"]?["mapping"]?["line"]?["env"]?["TOKEN"] == "none")
            let text = JSONValue.array(planned["fields"]?.array ?? []).text
            for field in ["watch", "cron_restart", "process.env.TOKEN"] { #expect(text.contains("\"\(field)\"")) }
            #expect(try project.pm("status").code == 69)
            #expect(
                try project.run(["ls", "-A"]).output == "api\necosystem.config.js\npackage.json\nweb.js\nworker.sh\n")

            let started = try project.must("start", "ecosystem.config.js", "--env", "production")
            #expect(started.split(separator: "\n").count == 5, "\(started)")
            for name in ["api", "web", "web#2", "worker", "tool", "line"] {
                try project.until(name, "runs and is ready") { $0["ready"]?.bool == true }
            }
            #expect(try project.must("log", "api").contains("[api] 1 production\n"))
            #expect(try project.must("log", "line").contains("[line] started\n"))
            #expect(try project.must("check").contains("5 services, 0 errors"))
            let again = try project.must("start", "ecosystem.config.js", "--env=production", "--only", "api,web")
            #expect(again.contains("api is already running") && again.split(separator: "\n").count == 2, "\(again)")
            let other = try project.pm("start", "ecosystem.config.js")
            #expect(other.code == 73 && other.errors.contains("import ecosystem.config.js --force"), "\(other)")
            #expect(try project.pm("start", "ecosystem.config.js", "--only", "ghost").code == 66)
            #expect(try project.pm("start", "ecosystem.config.js", "word").code == 65)
        }
    }

    @Test func `a module is evaluated without rights, without a network and not for ever`() async throws {
        try await TestProject.with { project in
            try project.write(
                "evil.config.js",
                """
                const tried = (body) => { try { body(); return 'done'; } catch { return 'refused'; } };
                const env = {
                  write: tried(() => require('fs').writeFileSync(__dirname + '/made', '')),
                  run: tried(() => require('child_process').execFileSync('true')),
                  secret: String(process.env.SECRET),
                };
                module.exports = async () => {
                  env.net = await fetch('http://127.0.0.1:9').then(() => 'done', (e) => String(e.cause?.code ?? e.cause?.message));
                  return { apps: [{ name: 'a', script: 'a.js', env }] };
                };
                """)
            let plan = try project.run(
                [TestPaths.pm, "import", "evil.config.js", "--plan", "-o", "json"], adding: ["SECRET": "x"])
            #expect(plan.code == 0, "\(plan)")
            let env = try JSONValue(parsing: plan.output)["configuration"]?["mapping"]?["a"]?["env"]
            #expect(env?["secret"] == "undefined" && env?["net"] != "done", "\(plan)")
            // Node before 20 has no permission model, which pm says.
            let isOpen = plan.errors.contains("no permission model")
            #expect(isOpen || (env?["write"] == "refused" && env?["run"] == "refused"), "\(plan)")
            try project.write("throws.config.js", "throw new Error('no such luck');\n")
            let thrown = try project.pm("import", "throws.config.js")
            #expect(thrown.code == 65 && thrown.errors.contains("no such luck"), "\(thrown)")
            let none = try project.run([TestPaths.pm, "import", "evil.config.js"], adding: ["PATH": "/nowhere"])
            #expect(none.code == 66 && none.errors.contains("there is no node in PATH"), "\(none)")
        }
    }

    @Test func `each format is told by the file's name, and nothing is overwritten`() async throws {
        try await TestProject.with { project in
            try project.write("Procfile", "web: sleep 1000\n")
            try project.write("compose.yaml", "services:\n  db:\n    image: postgres\n    restart: always\n")
            try project.write("unit.service", "[Service]\nExecStart=/bin/sleep 1000\n")
            try project.write("unit.service.d/more.conf", "[Service]\nEnvironment=A=1\n")
            try project.write("super.conf", "[program:job]\ncommand=sleep 1000\nnumprocs=2\n")
            for file in ["Procfile", "compose.yaml", "unit.service", "super.conf"] {
                #expect(try project.pm("import", file).code == 0, "\(file)")
            }
            let made = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(keys(made["mapping"]) == ["web", "db", "unit", "job"])
            #expect(made["mapping"]?["unit"]?["env"] == ["A": "1"])
            #expect(try JSONValue(parsing: try project.read("db.docker.json")) == ["image": "postgres"])
            try project.write("compose.yaml", "services: {db: {image: other, restart: always}}\n")
            let other = try project.pm("import", "compose.yaml")
            #expect(other.code == 73 && other.errors.contains("db.docker.json"), "\(other)")
            #expect(try project.read("db.docker.json").contains("postgres"))
            let odd = try project.pm("import", "unit.service.d")
            #expect(odd.code == 66, "\(odd)")
            try project.write("file.txt", "web: x\n")
            #expect(try project.pm("import", "file.txt").code == 65)
            #expect(try project.pm("import", "file.txt", "--format", "procfile", "--plan", "--force").code == 0)
            try project.write("Procfile.dev", "web: sleep 1000\nbroken\n")
            let broken = try project.pm("import", "Procfile.dev")
            #expect(broken.code == 65 && broken.errors.contains("/Procfile.dev:2: "), "\(broken)")
        }
    }
}
