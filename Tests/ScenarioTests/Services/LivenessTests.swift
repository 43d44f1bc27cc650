import Glibc
import JSON
import PMTestSupport
import Testing

/// Services that run and do not respond.
@Suite(.serialized) struct Liveness {
    /// Registers `svc` in node/host: `block` keeps its loop busy, `sleep` keeps it waiting in a system call, each until the
    /// file `go` exists; `later` blocks it when its own call is answered.
    private func addBlocking(_ project: TestProject, live: JSONValue? = nil) throws {
        let busy = "while (!existsSync('go')) {}"
        let asleep = "while (!existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);"
        let bodies = [
            "pid": "return process.pid;", "block": busy, "sleep": asleep, "later": "setTimeout(() => { \(busy) }, 20);",
        ]
        for (name, body) in bodies {
            try project.write(
                "svc/\(name).mjs", "import { existsSync } from 'node:fs';\nexport default () => { \(body) };")
        }
        let commands: [JSONValue] = bodies.keys.sorted().map { name in
            ["name": .string(name), "config": ["fs": ["path": .string("./\(name).mjs")], "": ["inject": []]]]
        }
        try project.write("svc/commands.json", (["name": "svc", "commands": .array(commands)] as JSONValue).text)
        var mapping: JSONObject = ["stop": ["signal": "SIGTERM", "wait": "100ms"]]
        mapping["live"] = live
        try project.configure(
            ["svc": ["path": "./svc/commands.json", "commandable": true]], mapping: ["svc": .object(mapping)])
        try project.startDaemon()
        try project.must("start", "svc", "--wait")
    }

    private func isUnresponsive(_ row: JSONValue) -> Bool { row["live"]?["unresponsiveMs"]?.int != nil }

    /// What every blocked service shows, until it goes on.
    private func expectReport(_ project: TestProject, _ pid: Int?) throws {
        let row = try project.until("svc", "unresponsive", isUnresponsive)
        #expect(row["state"] == "up" && row["ready"] == true && row["pid"]?.int == pid)
        #expect(row["live"]?["by"] == "rpc" && row["live"]?["seen"] == "no answer to $ping in 5s")
        let shown = try project.must("status", "svc")
        #expect(shown.contains("up, unresponsive "), "\(shown)")
        try project.write("go", "")
        let after = try project.until("svc", "responsive again") { $0["live"] == nil }
        #expect(after["pid"]?.int == pid && after["restarts"] == 0)
        let log = try project.must("log", "svc", "-n", "10")
        #expect(log.contains("svc has not responded for ") && log.contains("svc responds again, after "), "\(log)")
    }

    @Test(arguments: ["block", "sleep"])
    func `is shown of a service that does not answer a call`(command: String) async throws {
        try await TestProject.with { project in
            try addBlocking(project)
            let pid = try project.status("svc")["pid"]?.int
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"svc.\#(command)","params":[]}"#)
            try expectReport(project, pid)
            #expect(client.json()?["id"] == 1)
        }
    }

    @Test func `is shown of a service whose loop is blocked while nobody calls`() async throws {
        try await TestProject.with { project in
            try addBlocking(project)
            let pid = try project.status("svc")["pid"]?.int
            _ = try project.client().call("svc.later")
            try expectReport(project, pid)
        }
    }

    @Test func `is shown by the next daemon too, of a service that has not said anything to it`() async throws {
        try await TestProject.with { project in
            try addBlocking(project)
            let pid = try project.status("svc")["pid"]?.int
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"svc.sleep","params":[]}"#)
            try project.until("svc", "unresponsive", isUnresponsive)
            let daemon = try project.daemonID()
            kill(daemon, SIGKILL)
            try until("a new daemon") { try project.daemonID() != daemon }
            try expectReport(project, pid)
        }
    }

    @Test func `wakes neither an idle service nor the daemon`() async throws {
        try await TestProject.with { project in
            try addBlocking(project)
            let pid = pid_t(try #require(try project.status("svc")["pid"]?.int))
            _ = try project.client().call("svc.pid")
            // The one look that follows a call comes within five seconds.
            let (daemon, limit) = (try project.daemonID(), ContinuousClock.now + .seconds(60))
            while ContinuousClock.now < limit, try !project.isQuiet(daemon, for: .seconds(7)) {}
            #expect(ContinuousClock.now < limit)
            #expect(try project.isQuiet(pid, for: .seconds(3)))
        }
    }

    @Test func `by a question restarts a service, whose death says why`() async throws {
        try await TestProject.with { project in
            try addBlocking(project, live: ["check": "rpc", "interval": "200ms", "timeout": "1s", "retries": 2])
            let pid = try project.status("svc")["pid"]?.int
            #expect(try project.status("svc")["live"]?["failed"] == 0)
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"svc.sleep","params":[]}"#)
            let row = try project.until("svc", "restarted") { $0["pid"]?.int != pid && $0["ready"] == true }
            #expect(row["restarts"] == 1 && row["lastExit"]?["reason"] == "unresponsive")
            #expect(row["lastExit"]?["seen"] == "no answer to $ping in 1s")
            #expect(row["lastExit"]?["requested"] == false)
            #expect(client.json()?["error"]?["retry"] == true)
            #expect(try project.must("status", "svc").contains("unresponsive: no answer to $ping in 1s, "))
        }
    }

    /// A server that answers 200, or 500 while the file `bad` exists; while `deaf` exists it does not listen.
    private func server(_ port: Int) -> String {
        """
        const { existsSync } = require('fs');
        const server = require('http').createServer((q, r) => {
          r.statusCode = existsSync('bad') ? 500 : 200;
          r.end();
        });
        setInterval(() => {
          if (existsSync('deaf') && server.listening) { server.close(); server.closeAllConnections(); }
          console.log(existsSync('mute') ? '' : 'tick');
        }, 50);
        server.listen(\(port), '127.0.0.1');
        """
    }

    private func startServer(_ project: TestProject, _ port: Int, _ live: JSONValue) throws {
        try project.write("web.js", server(port))
        try project.configure(
            ["web": ["path": "./web.js"]],
            mapping: ["web": ["ready": ["tcp": JSONValue(port)], "live": live]])
        try project.startDaemon()
        try project.must("start", "web", "--wait")
    }

    @Test func `by HTTP restarts a service`() async throws {
        try await TestProject.with { project in
            let port = Int(try FreePort.find())
            try startServer(
                project, port,
                ["http": .string("http://localhost:\(port)/health"), "interval": "100ms", "retries": 2])
            let pid = try project.status("web")["pid"]?.int
            try project.write("bad", "")
            let row = try project.until("web", "ended") { $0["lastExit"] != nil }
            #expect(row["lastExit"]?["reason"] == "unresponsive")
            #expect(row["lastExit"]?["seen"] == "GET /health answered 500")
            unlink(project.directory + "/bad")
            try project.until("web", "up again") { $0["ready"] == true && $0["pid"]?.int != pid }
        }
    }

    @Test func `by a port stops a service`() async throws {
        try await TestProject.with { project in
            let port = Int(try FreePort.find())
            try startServer(project, port, ["tcp": JSONValue(port), "interval": "100ms", "action": "stop"])
            try project.write("deaf", "")
            let row = try project.until("web", "down") { $0["state"] == "down" }
            #expect(row["lastExit"]?["seen"] == .string("connection refused at 127.0.0.1:\(port)"))
            #expect(row["restarts"] == 0)
        }
    }

    @Test func `goes on under the next daemon, and only reports if that is asked for`() async throws {
        try await TestProject.with { project in
            let port = Int(try FreePort.find())
            try startServer(
                project, port,
                ["http": .string("http://127.0.0.1:\(port)/"), "interval": "100ms", "action": "report"])
            let pid = try project.status("web")["pid"]?.int
            try project.write("bad", "")
            try project.until("web", "unresponsive", isUnresponsive)
            let daemon = try project.daemonID()
            kill(daemon, SIGKILL)
            try until("a new daemon") { try project.daemonID() != daemon }
            try project.until("web", "unresponsive under the next", isUnresponsive)
            try project.must("upgrade")
            try project.until("web", "unresponsive after an upgrade", isUnresponsive)
            unlink(project.directory + "/bad")
            let row = try project.until("web", "responsive") { !isUnresponsive($0) }
            #expect(row["pid"]?.int == pid && row["lastExit"] == nil)
        }
    }

    @Test func `by output notices a service that writes nothing`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "while :; do [ -e mute ] || echo tick; sleep 0.05; done")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["live": ["noOutputFor": "2s", "action": "report"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try project.write("mute", "")
            let row = try project.until("web", "silent", isUnresponsive)
            #expect(row["live"]?["seen"] == "no output for 2s" && row["state"] == "up")
            unlink(project.directory + "/mute")
            try project.until("web", "writing again") { !isUnresponsive($0) }
        }
    }
}

/// Checks that are programs.
@Suite(.serialized) struct `A check by a program` {
    @Test func `runs as its service does, and is no part of it`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.script("check.sh", "echo \"$PM_NAME $A ${PM_CHANNEL_FD-none} $1\" > seen; pwd >> seen")
            try project.configure(
                ["web": ["path": "./web.sh"]],
                mapping: [
                    "web": [
                        "env": ["A": "b"],
                        "live": ["exec": ["./check.sh", "x y"], "interval": "100ms", "action": "stop"],
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try until("the check has run") { (try? project.read("seen").split(separator: "\n").count) == 2 }
            #expect(try project.read("seen").hasPrefix("web b none x y\n"))
            // The check fails, with what it wrote last.
            try project.script("check.sh", "echo first; echo 'no connection to the queue' >&2; exit 3")
            let row = try project.until("web", "down") { $0["state"] == "down" }
            #expect(row["lastExit"]?["seen"] == "./check.sh: exit status 3: no connection to the queue")
        }
    }

    @Test func `has its time, and leaves nothing behind`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.script("check.sh", "sleep 999 & echo $! > child; wait")
            try project.configure(
                ["web": ["path": "./web.sh"]],
                mapping: [
                    "web": [
                        "live": [
                            "exec": ["./check.sh"], "interval": "100ms", "timeout": "500ms", "retries": 1,
                            "action": "report",
                        ]
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let row = try project.until("web", "unresponsive") { $0["live"]?["unresponsiveMs"] != nil }
            #expect(row["live"]?["seen"] == "no end of the check in 500ms")
            try project.must("stop", "web")
            let child = try #require(pid_t(try project.read("child").filter(\.isNumber)))
            try until("the check's processes are gone") { kill(child, 0) != 0 }
        }
    }

    @Test func `decides when a service is ready, and tells what it saw until then`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.script("check.sh", "[ -e go ] || { echo 'not migrated yet'; exit 1; }")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["ready": ["exec": ["./check.sh"]]]])
            try project.startDaemon()
            try project.must("start", "web")
            let seen = "./check.sh: exit status 1: not migrated yet"
            let row = try project.until("web", "checked") { $0["probe"] != nil }
            #expect(row["probe"] == .string(seen) && row["ready"] == false)
            #expect(try project.must("status", "web").contains("readiness check: \(seen)"))
            try project.write("go", "")
            #expect(try project.until("web", "ready") { $0["ready"] == true }["probe"] == nil)
        }
    }

    @Test func `that failed last is in the error of a start that waited`() async throws {
        try await TestProject.with { project in
            let port = Int(try FreePort.find())
            try project.script("web.sh", "exec sleep 1000")
            let check: JSONValue = ["tcp": JSONValue(port), "deadline": "500ms"]
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["ready": check, "restart": "never"]])
            try project.startDaemon()
            let outcome = try project.pm("start", "web", "--wait")
            #expect(outcome.code == 75)
            let text = "web was not ready within 500ms: connection refused at 127.0.0.1:\(port)"
            #expect(outcome.errors.contains(text), "\(outcome)")
        }
    }
}
