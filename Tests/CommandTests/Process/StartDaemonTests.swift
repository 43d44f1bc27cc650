import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm start pm` {
    @Test func `makes a configuration where none stands, and starts one daemon only`() async throws {
        try await TestProject.with { project in
            let file = "\(project.directory)/.pm.config.json"
            #expect(try project.must("start", "pm", "--wait") == "pm started for \(file) (new), project daemon\n")
            let url = "jsonrpc+unix://\(project.socket)"
            let mapping = try JSONValue(parsing: try project.read(".pm.config.json"))["mapping"]?["pm"]
            #expect(keys(mapping?["connect"]) == [url])
            let pid = try #require(try project.status("pm")["pid"]?.int)
            for words in [["start", "pm"], ["start", "pm", "--wait"]] {
                let again = try project.run([TestPaths.pm] + words)
                #expect(again.code == 0 && again.output == "pm is already running for \(file), pid \(pid)\n")
            }
            #expect(try project.json("start", "pm")["pid"]?.int == pid)
            let attached = try project.pm("start", "pm", "--keep-attached")
            #expect(attached.code == 73)
            #expect(attached.errors == "pm: pm is already running for \(file)\nhint: pm status\n")
            try project.must("stop")
            let answer = try project.json("start", "pm", "--wait")
            #expect(answer["config"]?.string == file)
            #expect(answer["scope"] == "project")
        }
    }

    @Test func `refuses a configuration it cannot read, with file, line and column`() async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", "{\n  \"containers\": oops\n}\n")
            let outcome = try project.pm("start", "pm", "--wait")
            #expect(outcome.code == 65)
            #expect(outcome.errors.contains("\(project.directory)/.pm.config.json:2:17: "))
        }
    }

    @Test func `--inspect is passed to Node services started later`() async throws {
        try await TestProject.with { project in
            try project.write("tool.js", "setInterval(() => {}, 1000)\n")
            try project.configure(["tool": ["path": "./tool.js"]])
            try project.must("start", "pm", "--inspect", "--wait")
            try project.must("start", "tool")
            // A start is told when exec(2) cannot fail any more; the new words are seen a moment later.
            try project.until("tool", "under the inspector") { row in
                guard let pid = row["pid"]?.int, let text = try? Files.read("/proc/\(pid)/cmdline") else {
                    return false
                }
                return text.split(separator: 0).contains { String(decoding: $0, as: UTF8.self).hasPrefix("--inspect") }
            }
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `--keep-attached shows what all write until a signal stops all`(_ signal: Int32) async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo web writes; exec sleep 1000")
            try project.script("db.sh", "echo db writes; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh", "dependencies": ["db"]], "db": ["path": "./db.sh"]],
                mapping: ["web": ["container": "web", "autostart": true]])
            let attached = try project.start([TestPaths.pm, "start", "pm", "--keep-attached"])
            #expect(attached.waitForOutput("[web] web writes\n"))
            // A quick service writes before the word that it runs is there.
            let pids = try ["web", "db"].map { name in
                try #require(project.until(name, "up") { $0["pid"]?.int != nil }["pid"]?.int)
            }
            attached.signal(signal)
            let outcome = attached.wait()
            #expect(outcome.code == 0)
            #expect(outcome.errors.contains("stopping all services and the daemon"))
            for pid in pids { #expect(kill(pid_t(pid), 0) == -1) }
            #expect(try Files.status(project.socket) == nil)
        }
    }

    @Test func `--keep-attached shows services that are registered later`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": try project.sleeper()], mapping: ["web": ["container": "web", "autostart": true]])
            let attached = try project.start([TestPaths.pm, "start", "pm", "--keep-attached"])
            #expect(attached.waitForOutput("[web] up\n"))
            try project.script("late.sh", "echo here I am; exec sleep 1000")
            try project.must("map", "late", "./late.sh")
            try project.must("start", "late")
            #expect(attached.waitForOutput("[late] here I am\n"))
            try project.must("stop")
            #expect(attached.wait().code == 0)
        }
    }

    @Test func `--keep-attached ends when somebody else stops the daemon`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": try project.sleeper()], mapping: ["web": ["container": "web", "autostart": true]])
            let attached = try project.start([TestPaths.pm, "start", "pm", "--keep-attached"])
            #expect(attached.waitForOutput("[web] up\n"))
            try project.must("stop")
            #expect(attached.wait().code == 0)
        }
    }

    @Test func `--foreground becomes pm-init and tells the service manager`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo \"for me: $NOTIFY_SOCKET\"; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["container": "web", "autostart": true]])
            let manager = try NotifySocket.bind(in: project.directory + "/manager")
            let pm = try project.start(
                [TestPaths.pm, "start", "pm", "--foreground"], adding: ["NOTIFY_SOCKET": manager.path])
            #expect(try words(manager).contains("READY=1"))
            #expect(try Files.linkTarget("/proc/\(pm.processID)/exe") == Files.realPath(TestPaths.pmInit))
            try project.until("web", "up") { $0["pid"]?.int != nil }
            // Services have no word with it.
            #expect(try project.must("log", "web").contains("for me: \n"))
            pm.signal(SIGTERM)
            #expect(try words(manager) == ["STOPPING=1"])
            #expect(pm.wait().code == 0)
        }
    }

    private func words(_ manager: NotifySocket) throws -> [String] {
        var entry = pollfd(fd: manager.descriptor.raw, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 30_000) > 0 {
            guard let message = NotifySocket.receive(manager.descriptor.raw) else { continue }
            return message.fields
        }
        throw TestFailure("the service manager is told nothing")
    }

    private static let activator = "/usr/bin/systemd-socket-activate"

    @Test(.enabled(if: access(Self.activator, X_OK) == 0, "there is no systemd-socket-activate"))
    func `--foreground serves the socket that a service manager passes on`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            let socket = "\(project.directory)/pm.sock"
            let place = ["HOME", "XDG_RUNTIME_DIR", "PATH"].flatMap { ["-E", $0] }
            let pm = try project.start(
                [Self.activator, "--listen=\(socket)", "--fdname=pm.socket"] + place + [
                    TestPaths.pm, "start", "pm", "--foreground",
                ])
            // The first client is what starts it; until the activator listens there is no socket, or one that refuses.
            try until("a client is taken") { (try? LineClient(socket)) != nil }
            #expect(try project.status("pm")["state"]?.string == "up")
            pm.signal(SIGTERM)
            #expect(pm.wait().code == 0)
            #expect(try Files.status(socket) != nil)
            try Files.remove(socket)
        }
    }
}
