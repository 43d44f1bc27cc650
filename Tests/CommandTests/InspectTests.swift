import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm start --inspect` {
    /// A debugger that lets a program that waits for one go on.
    private static let debugger = """
        import http from 'node:http';
        const url = process.argv[2].replace('ws:', 'http:');
        const headers = {
          Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        };
        http.get(url, { headers }).on('upgrade', (response, socket) => {
          const send = (method) => {
            const body = Buffer.from(JSON.stringify({ id: 1, method }));
            socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]));
          };
          let seen = '', asked = false;
          socket.on('data', (bytes) => {
            seen += bytes.toString('latin1');
            if (!asked && seen.includes('Debugger.paused')) { asked = true; send('Debugger.resume'); }
            // Node may crash when the last debugger leaves before its order is carried out.
            if (seen.includes('Debugger.resumed')) socket.end();
          });
          send('Debugger.enable');
          send('Runtime.runIfWaitingForDebugger');
        });
        """

    private func url(_ row: JSONValue) throws -> String {
        let url = try #require(row["inspector"]?.string, "\(row.text)")
        #expect(url.hasPrefix("ws://127.0.0.1:"), "\(url)")
        return url
    }

    /// The port of `ws://127.0.0.1:PORT/ID`.
    private func port(_ url: String) throws -> String {
        try #require(url.split(separator: "/")[1].split(separator: ":").last.map(String.init))
    }

    @Test func `the URL is in what start prints and in the status, and outlives the daemon`() async throws {
        try await TestProject.with { project in
            try project.write("tool.js", "setInterval(() => {}, 1000)\n")
            try project.configure(["tool": ["path": "./tool.js"], "sh": try project.sleeper("sh")])
            try project.startDaemon()
            let text = try project.must("start", "tool", "--inspect=0")
            let row = try project.status("tool")
            let url = try url(row)
            #expect(text == "tool is up, pid \(row["pid"]?.int ?? 0), inspector \(url)\n")
            #expect(try project.must("status", "tool").contains("\ninspector: \(url)\n"))
            let daemon = pid_t(try project.status("pm")["pid"]?.int ?? 0)
            kill(daemon, SIGKILL)
            try project.until("pm", "replaced") { $0["pid"]?.int != Int(daemon) }
            #expect(try project.status("tool")["inspector"]?.string == url)
            // What is no Node has no inspector, and nothing waits for one.
            #expect(try project.json("start", "sh", "--inspect")["inspector"] == nil)
            try project.must("stop", "tool")
            #expect(try project.status("tool")["inspector"] == nil)
        }
    }

    @Test func `a port and a host are passed to Node by start, restart and run`() async throws {
        try await TestProject.with { project in
            try project.write("tool.js", "setInterval(() => {}, 1000)\n")
            try project.configure(["tool": ["path": "./tool.js"]])
            try project.startDaemon()
            let first = try port(try url(try project.json("start", "tool", "--inspect=127.0.0.1:0")))
            try project.must("stop", "tool")
            let second = try url(try project.json("start", "tool", "--inspect=\(first)"))
            #expect(try port(second) == first)
            let third = try url(try project.json("restart", "tool", "--inspect=127.0.0.1:\(first)"))
            #expect(try port(third) == first && third != second)
            // A restart keeps it.
            #expect(try port(try url(try project.json("restart", "tool"))) == first)
            let wrong = try project.pm("start", "tool", "--inspect=here")
            #expect(wrong.code == 64)
            #expect(wrong.errors.contains("--inspect takes PORT or HOST:PORT, not 'here'."), "\(wrong.errors)")
            let refused = try project.client().call("start", ["tool", ["inspect": "a b"]])?["error"]
            #expect(refused?["statusCode"] == 400)
            try project.must("stop", "tool")
            try project.write("once.js", "console.log(process.execArgv.join())\n")
            #expect(try project.must("run", "./once.js", "--inspect=127.0.0.1:0") == "--inspect=127.0.0.1:0\n")
            #expect(try project.must("run", "--inspect=0", "./once.js") == "--inspect=127.0.0.1:0\n")
        }
    }

    @Test func `--inspect-brk --wait says where the program waits, and no deadline ends it`() async throws {
        try await TestProject.with { project in
            try project.write("debugger.mjs", Self.debugger)
            try project.configure(
                ["svc": try project.answering()],
                mapping: ["svc": ["ready": ["check": "rpc", "deadline": "200ms"]]])
            try project.startDaemon()
            let waiting = try project.start([TestPaths.pm, "start", "svc", "--inspect-brk=0", "--wait"])
            let row = try project.until("svc", "under the inspector, beyond its deadline") { row in
                row["inspector"] != nil && (row["uptimeMs"]?.int ?? 0) > 1000
            }
            let url = try url(row)
            #expect(row["ready"]?.bool == false && row["restarts"]?.int == 0)
            try project.run(["node", "debugger.mjs", url])
            let outcome = waiting.wait()
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.errors == "pm: svc waits for a debugger at \(url)\n")
            #expect(outcome.output == "svc is up, pid \(row["pid"]?.int ?? 0), inspector \(url)\n")
            #expect(try project.must("svc", "value", "zero") == "0\n")
        }
    }

    @Test func `pm start pm --inspect reaches autostart, dependencies and restarts, and only Node`() async throws {
        try await TestProject.with { project in
            let loop: JSONValue = ["path": "./tool.js"]
            try project.write("tool.js", "console.log('up'); setInterval(() => {}, 1000)\n")
            try project.configure(
                [
                    "auto": loop, "db": loop, "web": ["path": "./tool.js", "dependencies": ["db"]],
                    "sh": try project.sleeper("sh"),
                ], mapping: ["auto": ["container": "auto", "autostart": true]])
            try project.must("start", "pm", "--inspect", "--wait")
            try project.until("auto", "inspected") { $0["inspector"] != nil }
            try project.must("start", "web")
            for name in ["db", "web"] { try project.until(name, "inspected") { $0["inspector"] != nil } }
            let old = try url(try project.status("web"))
            #expect(try url(try project.json("restart", "web")) != old)
            let pid = try #require(try project.status("db")["pid"]?.int)
            kill(pid_t(pid), SIGKILL)
            try project.until("db", "inspected again") { $0["inspector"] != nil && $0["pid"]?.int != pid }
            let ports = try ["auto", "db", "web"].map { try port(try url(try project.status($0))) }
            #expect(Set(ports).count == 3, "\(ports)")
            #expect(try project.json("start", "sh")["inspector"] == nil)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `--keep-attached starts a service, shows what it writes, and stops it at a signal`(
        _ signal: Int32
    ) async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            let attached = try project.start([TestPaths.pm, "start", "web", "--keep-attached"])
            #expect(attached.waitForOutput("[web] up\n"))
            let pid = try #require(try project.status("web")["pid"]?.int)
            // It ran before, so it is left running.
            let second = try project.start([TestPaths.pm, "start", "web", "--keep-attached"])
            #expect(second.waitForOutput("web is already running, pid \(pid)\n"))
            second.signal(signal)
            let left = second.wait()
            #expect(left.code == 0 && left.errors.contains("Ctrl-C leaves web running"), "\(left)")
            #expect(try project.status("web")["pid"]?.int == pid)
            attached.signal(signal)
            let outcome = attached.wait()
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.output.contains("[web] bye\n"), "\(outcome)")
            #expect(try project.status("web")["state"] == "down")
        }
    }
}
