import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `The place of a daemon` {
    @Test func `is made where there is none`() async throws {
        try await TestProject.with { project in
            let output = try project.must("start", "pm", "--wait")
            #expect(output.contains(".pm.config.json (new)"))
            let json = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(json["containers"]?.object?.isEmpty == true)
            #expect(json["mapping"]?["pm"]?["connect"]?["jsonrpc+unix://\(project.socket)"] != nil)
            #expect(try project.must("status", "-o", "json").contains("\"pm\""))
        }
    }

    @Test func `is found from the folders below`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.write("sub/deep/file", "")
            let outcome = try project.run([TestPaths.pm, "start", "pm", "--wait"], in: "sub/deep")
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try Files.status("\(project.directory)/sub/deep/.pm.config.json") == nil)
            #expect(try Files.status(project.socket)?.kind == .socket)
            #expect(
                try project.run([TestPaths.pm, "status"], in: "sub").errors.contains(
                    "\(project.directory)/.pm.config.json"))
            #expect(
                try project.run([TestPaths.pm, "start", "pm"], in: "sub").output.hasPrefix("pm is already running"))
        }
    }

    @Test func `is what --config says`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.write("other/conf.json", "{\"containers\": {}, \"mapping\": {}}")
            try project.must("start", "pm", "--wait", "--config", "other/conf.json")
            defer { _ = try? project.pm("stop", "--config", "other/conf.json") }  // the test's end finds what is left
            #expect(try Files.status("\(project.directory)/other/pm.sock")?.kind == .socket)
            #expect(try Files.status(project.socket) == nil)
            #expect(try project.pm("status").code == 69)
            let outcome = try project.pm("status", "--config", "\(project.directory)/other/conf.json")
            #expect(outcome.code == 0 && outcome.errors.contains("other/conf.json"))
            try project.startDaemon()
            try project.must("stop", "--config", "other/conf.json")
            #expect(try project.client().call("name")?["result"] != nil)
        }
    }

    @Test func `may have a path too long for a socket`() async throws {
        try await TestProject.with { project in
            let folder = Array(repeating: "a-folder-with-a-long-name", count: 6).joined(separator: "/")
            try project.write("\(folder)/.pm.config.json", "{}")
            try project.script("\(folder)/web.sh", "echo $PM_SOCK; exec sleep 1000")
            for arguments in [
                ["start", "pm", "--wait"], ["map", "web", "web.sh"], ["start", "web", "--wait"], ["status", "web"],
                ["stop"],
            ] {
                let outcome = try project.run([TestPaths.pm] + arguments, in: folder)
                #expect(outcome.code == 0, "\(arguments): \(outcome)")
            }
            #expect(try Files.status("\(project.directory)/\(folder)/pm.sock") == nil)
            #expect(project.processes() == [])
        }
    }

    @Test func `may have a name that no URL holds as it is`() async throws {
        try await TestProject.with { project in
            let folder = "a b%20é #1?x"
            try project.addContainer()
            try project.run(["cp", "-R", "svc", folder])
            try project.write("\(folder)/.pm.config.json", "{}")
            try project.write(
                "\(folder)/web.cjs",
                """
                #!/usr/bin/env node
                require('@akala/pm').sidecar().svc
                  .then((svc) => svc.dispatch('echo', 'heard'))
                  .then(console.log, (error) => console.log(error.message));
                setInterval(() => {}, 1e6);
                """, executable: true)
            for arguments in [
                ["start", "pm", "--wait"], ["map", "svc", "commands.json", "--commandable"],
                ["connect", "svc", "local"],
                ["start", "svc", "--wait"], ["map", "web", "web.cjs"], ["start", "web", "--wait"],
            ] {
                let outcome = try project.run([TestPaths.pm] + arguments, in: folder)
                #expect(outcome.code == 0, "\(arguments): \(outcome)")
            }
            var log = ""
            try until("web was answered") {
                log = try project.run([TestPaths.pm, "log", "web", "--raw"], in: folder).output
                return !log.isEmpty
            }
            #expect(log == "heard\n")
            #expect(try project.run([TestPaths.pm, "stop"], in: folder).code == 0)
            #expect(project.processes() == [])
        }
    }

    @Test func `may be read-only, and then its socket is in the runtime directory`() async throws {
        try await TestProject.with { project in
            let text = "{\"containers\": {\"web\": {\"path\": \"web.sh\"}}}"
            try project.write(".pm.config.json", text)
            try project.script("web.sh", "exec sleep 1000")
            try project.write(
                "ask.cjs",
                """
                const { sidecar } = require('\(TestPaths.stage)/lib/pm/node/client');
                const ask = async () => (await (await sidecar().pm).dispatch('status')).length;
                ask().then(console.log, (error) => console.log(error.message)).finally(() => process.exit());
                """)
            chmod(project.directory, 0o555)
            defer { chmod(project.directory, 0o755) }
            // Root writes everywhere; without this capability it does not.
            let plain = geteuid() == 0 ? ["setpriv", "--bounding-set=-dac_override"] : []
            for arguments in [["start", "pm", "--wait"], ["start", "web", "--wait"], ["status"]] {
                let outcome = try project.run(plain + [TestPaths.pm] + arguments)
                #expect(outcome.code == 0, "\(arguments): \(outcome)")
            }
            #expect(try Files.status(project.socket) == nil)
            let asked = try project.run(plain + ["node", "ask.cjs"])
            #expect(asked.output == "2\n", "\(asked)")
            #expect(try project.run(plain + [TestPaths.pm, "stop"]).code == 0)
            #expect(try project.read(".pm.config.json") == text)
            #expect(project.processes() == [])
        }
    }

    @Test func `may be read-only where the socket stands elsewhere`() async throws {
        try await TestProject.with { project in
            let folder = "\(project.directory)/pm"
            let text = "{\"containers\": {\"web\": {\"path\": \"\(project.directory)/web.sh\"}}}"
            try project.write("pm/.pm.config.json", text)
            try project.script("web.sh", "exec sleep 1000")
            chmod(folder, 0o555)
            defer { chmod(folder, 0o755) }
            let plain = geteuid() == 0 ? ["setpriv", "--bounding-set=-dac_override"] : []
            for arguments in [["start", "pm", "--wait"], ["start", "web", "--wait"], ["status"], ["stop"]] {
                let outcome = try project.run(
                    plain + [TestPaths.pm] + arguments + ["--user"], adding: ["XDG_CONFIG_HOME": project.directory])
                #expect(outcome.code == 0, "\(arguments): \(outcome)")
            }
            #expect(try project.read("pm/.pm.config.json") == text)
            #expect(project.processes() == [])
        }
    }
}

@Suite(.serialized, .enabled(if: geteuid() == 0)) struct `A stranger` {
    @Test func `cannot use the daemon, even where the socket's mode lets them connect`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            for folder in ["/..", ""] { chmod(project.directory + folder, 0o755) }
            let code = """
                use Socket;
                socket(my $s, AF_UNIX, SOCK_STREAM, 0);
                connect($s, pack_sockaddr_un($ARGV[0])) or die "$!\\n";
                $SIG{PIPE} = 'IGNORE';
                syswrite($s, qq({"jsonrpc":"2.0","id":1,"method":"stop"}\\n));
                syswrite($s, qq({"jsonrpc":"2.0","id":2,"method":"raw.echo","params":[1]}\\n));
                print while sysread($s, $_, 65536);
                """
            func tryAs(_ user: Int) throws -> Outcome {
                try project.run([
                    "setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "perl", "-e", code,
                    project.socket,
                ])
            }
            let closed = try tryAs(65534)
            #expect(closed.code != 0 && closed.errors.contains("Permission denied"), "\(closed)")
            chmod(project.socket, 0o666)
            let open = try tryAs(65534)
            #expect(open.output.contains("user 65534 may not use this daemon"), "\(open)")
            #expect(!open.output.contains("\"id\":1") && !open.output.contains("\"id\":2"))
            #expect(try project.status("raw")["ready"]?.bool == true)
            let state = try #require(project.stateDirectory)
            #expect(try (Files.status(state)?.mode ?? 0) & 0o077 == 0)
        }
    }
}
