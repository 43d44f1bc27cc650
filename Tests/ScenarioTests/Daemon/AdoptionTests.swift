import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `A daemon that dies` {
    @Test func `leaves services running, and its successor takes them over`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let before = try project.status("web")
            for _ in 1...5 {
                let pid = try #require(try project.status("pm")["pid"]?.int)
                kill(pid_t(pid), SIGKILL)
                try project.until("pm", "replaced") { $0["pid"]?.int != pid }
            }
            let after = try project.status("web")
            #expect(after["pid"] == before["pid"])
            #expect(after["restarts"]?.int == 0)
            #expect(after["ready"]?.bool == true)
            try project.must("stop", "web")
            let numbers = try project.must("log", "web", "-n", "1000000", "--raw").split(separator: "\n").compactMap {
                line in
                line.split(separator: " ").last.flatMap { Int($0) }
            }
            #expect(numbers == Array(1...max(1, numbers.count)))
        }
    }

    /// Says a while after it was asked what it offers.
    private static let slow = """
        #!/usr/bin/env node
        const channel = new (require('net').Socket)({ fd: Number(process.env.PM_CHANNEL_FD) });
        const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
        const offer = { name: 'slow', commands: [{ name: 'echo', config: { '': { inject: ['params.0'] } } }] };
        let rest = '';
        channel.setEncoding('utf8').on('data', (text) => {
          const lines = (rest + text).split('\\n');
          rest = lines.pop();
          for (const { id, method, params } of lines.map((line) => JSON.parse(line))) {
            if (method === '$metadata') setTimeout(say, 300, { id, result: offer });
            if (method === 'echo') say({ id, result: params[0] });
          }
        });
        say({ id: 1, method: 'ready', params: [offer] });
        """

    @Test(arguments: ["killed", "upgraded"])
    func `is missed by no call: its successor denies no command before services have said what they offer`(
        end: String
    ) async throws {
        try await TestProject.with { project in
            try project.write("slow", Self.slow, executable: true)
            try project.configure(["slow": ["path": "./slow", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "slow", "--wait")
            let daemon = try project.daemonID()
            if end == "killed" { kill(daemon, SIGKILL) } else { try project.must("upgrade") }
            #expect(try project.must("slow", "echo", "again") == "again\n")
            let all = try project.client().call("$metadata", [true])?["result"]?["commands"]?.array ?? []
            #expect(all.contains { $0["name"] == "slow.echo" })
            #expect(try project.daemonID() != daemon)
        }
    }

    @Test func `passes the names and arguments of starts on to its successor`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo \"got $*\"; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait", "--name", "other", "--", "--port", "1")
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            kill(pid_t(daemon), SIGKILL)
            try project.until("pm", "replaced") { $0["pid"]?.int != daemon }
            let service = try #require(try project.status("other")["pid"]?.int)
            kill(pid_t(service), SIGKILL)
            try project.until("other", "started again") {
                $0["pid"]?.int ?? service != service && $0["ready"]?.bool == true
            }
            #expect(try project.must("log", "other").split(separator: "\n").count { $0.hasSuffix("got --port 1") } == 2)
            // A pm that is started again begins without them.
            try project.must("stop")
            try project.startDaemon()
            #expect(try project.pm("start", "other").code == 66)
        }
    }

    @Test func `and hangs is replaced while services run on, and the question that it left unanswered is answered`()
        async throws
    {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let before = try project.status("web")
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            kill(pid_t(daemon), SIGSTOP)
            let table = try project.must("status", "web", "-o", "json")
            let row = try JSONValue(parsing: table)[0]
            #expect(row?["pid"] == before["pid"] && row?["restarts"]?.int == 0)
            #expect(try project.status("pm")["pid"]?.int != daemon)
            #expect(project.daemonLog.contains("hung and was ended"))
        }
    }

    @Test func `tells services that their calls are lost, and asks their questions again`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.write(
                "svc/commands.json",
                JSONValue.object([
                    "name": "svc",
                    "commands": [
                        ["name": "ask", "config": ["fs": ["path": "./ask.js"], "": ["inject": ["pm"]]]],
                        ["name": "result", "config": ["fs": ["path": "./result.js"]]],
                    ],
                ]).text)
            try project.write(
                "svc/ask.js",
                """
                exports.default = async function (pm) {
                  pm.dispatch('raw.hold').catch((error) => { this.lost = [error.statusCode, error.code, error.retry] });
                };
                """)
            try project.write("svc/result.js", "exports.default = function () { return this.lost };")
            try project.configure(
                [
                    "svc": ["path": "./svc/commands.json", "commandable": true],
                    "raw": ["path": "./raw", "commandable": true],
                ])
            try project.startDaemon()
            for name in ["raw", "svc"] { try project.must("start", name, "--wait") }
            try project.must("svc", "ask")
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            kill(pid_t(daemon), SIGKILL)
            try project.until("pm", "replaced") { $0["pid"]?.int != daemon }
            var lost: JSONValue?
            for _ in 0..<1000 where lost == nil || lost == .null {
                lost = try project.client().call("svc.result")?["result"]
            }
            #expect(lost == [503, "PM_RESTARTED", true])
        }
    }

    @Test func `and cannot start again says so, while services run on`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.copy(TestPaths.libexec, to: "lib")
            let started = try project.run(
                [TestPaths.pm, "start", "pm", "--wait"], adding: ["PM_LIBEXEC": "\(project.directory)/lib"])
            #expect(started.code == 0, "\(started)")
            try project.must("start", "web", "--wait")
            let before = try project.status("web")
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            try project.script("broken", "exit 3")
            rename("\(project.directory)/lib/pmd", "\(project.directory)/lib/good")
            rename("\(project.directory)/broken", "\(project.directory)/lib/pmd")
            kill(pid_t(daemon), SIGKILL)
            var outcome = try project.pm("status")
            while !outcome.errors.contains("times in a row") { outcome = try project.pm("status") }
            #expect(outcome.errors.contains("with exit code 3; services keep running"))
            #expect(outcome.errors.contains("pmd.log"))
            #expect(kill(pid_t(try #require(before["pid"]?.int)), 0) == 0)
            rename("\(project.directory)/lib/good", "\(project.directory)/lib/pmd")
            let row = try project.until("web", "there again") { $0["pid"] == before["pid"] }
            #expect(row["restarts"]?.int == 0)
            #expect(try project.pm("status").code == 0)
        }
    }

    @Test func `learns of exits that happened while it was gone`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "trap 'exit 9' USR1; echo up; while :; do sleep 0.02; done")
            try project.configure(
                ["web": ["path": "./web.sh"]],
                mapping: ["web": ["container": "web", "restart": "never", "ready": ["log": "up"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            let service = try #require(try project.status("web")["pid"]?.int)
            kill(pid_t(daemon), SIGSTOP)
            kill(pid_t(service), SIGUSR1)
            // pm-init has reaped it; a successor that only saw it end later would show nothing.
            try until("the service is gone") { kill(pid_t(service), 0) != 0 }
            kill(pid_t(daemon), SIGKILL)
            let row = try project.until("web", "reported dead") { $0["pid"] == nil }
            #expect(row["lastExit"]?["code"]?.int == 9)
        }
    }
}
