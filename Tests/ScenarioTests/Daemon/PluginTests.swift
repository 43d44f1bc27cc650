import Glibc
import JSON
import PMTestSupport
import Testing

/// Plugins that misbehave, and events that leave the machine.
@Suite(.serialized) struct `A plugin` {
    private static func with(_ plugins: JSONValue, _ body: (TestProject) async throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            let json: JSONValue = ["containers": ["web": ["path": "./web.sh"]], "plugins": plugins]
            try project.write(".pm.config.json", json.text)
            try await body(project)
        }
    }

    private static func row(_ project: TestProject, _ name: String = "p") throws -> JSONValue {
        try JSONValue(parsing: try project.must("plugins", name, "-o", "json")).array?.first ?? .null
    }

    private static func write(_ project: TestProject, commands: String, _ body: String) throws {
        let manifest = #"{"name":"p","type":"module","main":"./index.mjs","pm":{"plugin":{"commands":[\#(commands)]}}}"#
        try project.write("p/package.json", manifest)
        try project.write("p/index.mjs", "export default (pm) => {\n\(body)\n};\n")
    }

    @Test func `that dies is started again, and its end is a problem; pm and the services go on`() async throws {
        try await Self.with(["./p"]) { project in
            try Self.write(
                project, commands: #""die", "ident""#,
                "pm.command('die', {}, () => process.exit(3)); pm.command('ident', {}, () => process.pid);")
            try project.startDaemon()
            try project.must("start", "web")
            try until("it is ready") { try Self.row(project)["state"] == "ready" }
            let before = try (project.daemonID(), project.status("web")["pid"])
            #expect(try project.pm("die").code != 0)
            try until("it is ready again") {
                let row = try Self.row(project)
                return row["state"] == "ready" && row["restarts"] == 1
            }
            #expect(try project.must("ident") != "")
            #expect(try (project.daemonID(), project.status("web")["pid"]) == before)
            // One that cannot start says why, and is tried less and less often.
            try project.write("p/index.mjs", "throw new Error('broken on purpose');\n")
            let restart = try project.pm("restart", "pm-plugin-p")
            #expect(restart.code == 70 && restart.errors.contains("broken on purpose"), "\(restart)")
            try until("its failure is a problem of pm") {
                try project.status("pm")["problems"]?.array?.contains {
                    $0.string?.hasPrefix("plugin p: it does not run: ") == true
                } == true
            }
            try until("its log has the error") {
                try project.must("log", "pm-plugin-p", "-n", "all").contains("broken on purpose")
            }
            let refused = try project.pm("ident")
            #expect(refused.errors.contains("the plugin p, which has the command ident, does not run"))
        }
    }

    @Test func `that hangs is ended and started again`() async throws {
        try await Self.with(["./p"]) { project in
            try Self.write(project, commands: #""hang""#, "pm.command('hang', {}, () => { for (;;); });")
            try project.startDaemon()
            try until("it is ready") { try Self.row(project)["state"] == "ready" }
            #expect(try project.pm("hang").code != 0)
            try until("it is started again") { try Self.row(project)["restarts"] == 1 }
            #expect(try project.must("log", "pm-plugin-p").contains("has not responded for"))
        }
    }

    @Test func `that writes without end keeps nobody else from working`() async throws {
        try await Self.with(["./p"]) { project in
            try Self.write(
                project, commands: #""flood""#,
                "pm.command('flood', {}, () => { for (let i = 0; i < 20000; i++) { console.log('x'.repeat(100)); pm.call('nonsense').catch(() => {}); } });"
            )
            try project.startDaemon()
            try until("it is ready") { try Self.row(project)["state"] == "ready" }
            let daemon = try project.daemonID()
            _ = try project.pm("flood")
            try project.must("start", "web", "--wait")
            #expect(try project.daemonID() == daemon)
        }
    }

    @Test func `adds nothing that its package does not name, and nothing to hide a service`() async throws {
        try await Self.with(["./p"]) { project in
            try Self.write(
                project, commands: #""web", "start", "ok""#,
                "for (const name of ['web', 'start', 'ok', 'evil']) pm.command(name, {}, () => 'from the plugin');")
            try project.startDaemon()
            try until("it is ready") { try Self.row(project)["state"] == "ready" }
            #expect(try project.must("ok") == "from the plugin\n")
            #expect(try project.pm("evil").code == 64)
            try project.must("start", "web")
            let problems = try Self.row(project)["problems"]?.array?.compactMap(\.string) ?? []
            #expect(problems.count == 3 && problems.contains { $0.hasPrefix("the command evil is refused:") })
            // What is wrong with a plugin is an event, too.
            let faults = try project.must("events", "--kind", "plugin", "-o", "json")
            #expect(faults.contains(#""service":"pm-plugin-p""#) && faults.contains("the command evil is refused:"))
        }
    }

    @Test func `starts, changes and ends with its line in the configuration, without a restart of pm`() async throws {
        try await Self.with([]) { project in
            try Self.write(project, commands: #""greet""#, "pm.command('greet', {}, () => pm.options.text ?? 'none');")
            try project.startDaemon()
            #expect(try project.pm("plugins").errors == "pm: the configuration has no \"plugins\"\n")
            func use(_ plugins: JSONValue) throws {
                try project.write(".pm.config.json", (["plugins": plugins] as JSONValue).text)
            }
            try use(["./p"])
            try until("it runs") { try project.pm("greet").output == "none\n" }
            try use([["name": "./p", "options": ["text": "some"]]])
            try until("it has its options") { try project.pm("greet").output == "some\n" }
            let pid = try Self.row(project)["pid"]?.int ?? 0
            try use([])
            try until("it has ended") { kill(pid_t(pid), 0) != 0 }
            #expect(try project.pm("greet").code == 64)
        }
    }

    @Test func `goes on while the daemon is killed and upgraded`() async throws {
        try await Self.with(["./p"]) { project in
            try Self.write(project, commands: #""ident""#, "pm.command('ident', {}, () => process.pid);")
            try project.startDaemon()
            try until("it is ready") { try Self.row(project)["state"] == "ready" }
            let pid = try project.must("ident")
            kill(pid_t(try project.daemonID()), SIGKILL)
            try until("the next daemon serves") { try project.pm("ident").output == pid }
            try project.must("upgrade")
            try until("the one after it serves") { try project.pm("ident").output == pid }
        }
    }

    @Test func `posts the end of a service to a webhook`() async throws {
        try await TestProject.with { project in
            try project.copy(TestPaths.examples + "/plugins", to: "plugins")
            let port = try FreePort.find()
            try project.write(
                "sink.js",
                """
                require('node:http').createServer((request, response) => {
                  request.on('data', (chunk) => require('node:fs').appendFileSync('posts', chunk + '\\n')).on('end', () => response.end());
                }).listen(\(port), '127.0.0.1');
                """)
            try project.script("web.sh", "sleep 0.1; exit 3")
            let hook: JSONValue = [
                "name": "./plugins/webhook",
                "options": ["url": .string("http://127.0.0.1:\(port)/"), "kinds": ["exit"]],
            ]
            let json: JSONValue = [
                "containers": ["sink": ["path": "./sink.js"], "web": ["path": "./web.sh"]],
                "mapping": [
                    "sink": ["container": "sink", "ready": ["tcp": JSONValue(Int(port))]],
                    "web": ["container": "web", "restart": "never"],
                ],
                "plugins": [hook],
            ]
            try project.write(".pm.config.json", json.text)
            try project.startDaemon()
            try project.must("start", "sink", "--wait")
            try until("it is ready") { try Self.row(project, "webhook")["state"] == "ready" }
            _ = try project.pm("start", "web")
            try until("the event was posted") { (try? project.read("posts"))?.isEmpty == false }
            let event = try JSONValue(parsing: project.read("posts"))
            #expect(event["kind"] == "exit" && event["service"] == "web" && event["details"]?["code"]?.int == 3)
        }
    }
}
