import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// The gateway as the daemon runs it.
@Suite(.serialized) struct `The daemon's gateway` {
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"svc.add","params":[20,22]}"#
    private static let answer = #"{"id":1,"result":42,"jsonrpc":"2.0"}"#

    /// A project with `svc`, and a daemon that may run a gateway: one of root needs a user for it, and programs that the
    /// gateway's user can execute.
    private static func with(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            try project.configure(["svc": ["path": "./svc/commands.json", "type": "nodejs", "commandable": true]])
            try project.startForGateway()
            try project.must("start", "svc", "--wait")
            try body(project)
        }
    }

    private static func isServed(_ port: UInt16) -> Bool {
        guard let client = try? WireClient(port: port) else { return false }  // nobody listens
        client.send(call + "\n")
        return client.line() == answer
    }

    private static func gateway(_ project: TestProject) throws -> pid_t {
        pid_t(try project.status("pm-gateway")["pid"]?.int ?? 0)
    }

    @Test func `gets its points with the daemon, in the words of the reference`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            let port = try FreePort.find()
            try project.must("start", "pm", "tcp", "--tcpPort=\(port)")
            #expect(try project.must("connect", "pm").contains("jsonrpc+tcp://127.0.0.1:\(port)"))
            try project.must("start", "pm", "local")
            #expect(try project.must("connect", "pm") == "jsonrpc+unix://\(project.socket)\n")
        }
    }

    @Test func `runs as long as there are connection points for the network`() async throws {
        try await Self.with { project in
            #expect(try project.pm("status", "pm-gateway").code == 66)
            let (first, second) = (try FreePort.find(), try FreePort.find())
            let shown = try project.must("connect", "pm", "local", "tcp", "--tcp-port", "\(first)")
            #expect(shown == "jsonrpc+unix://\(project.socket)\njsonrpc+tcp://127.0.0.1:\(first)\n")
            // It listens when the command returns.
            #expect(Self.isServed(first))
            let pid = try Self.gateway(project)
            let row = try project.status("pm-gateway")
            #expect(row["state"]?.string == "up" && row["ready"]?.bool == true && row["type"]?.string == "self")
            #expect(try project.must("log", "pm-gateway").contains("listening at jsonrpc+tcp://127.0.0.1:\(first)"))
            // The same again changes nothing; something else starts it again.
            try project.must("connect", "pm", "tcp", "--tcp-port", "\(first)")
            #expect(try Self.gateway(project) == pid)
            try project.must("connect", "pm", "ws", "http", "--port", "\(second)")
            #expect(!Self.isServed(first))
            let client = try WireClient(port: second)
            client.send("GET /text HTTP/1.0\r\nHost: localhost\r\n\r\n")
            #expect(client.rest()?.hasSuffix("plain") == true)
            try project.must("connect", "pm", "local")
            #expect(try project.status("pm-gateway")["running"]?.bool == false)
            #expect((try? WireClient(port: second)) == nil)
            #expect(try project.must("connect", "pm") == "jsonrpc+unix://\(project.socket)\n")
        }
    }

    @Test func `has no rights beside those to use the daemon`() async throws {
        try await Self.with { project in
            try project.must("connect", "pm", "tcp", "--tcp-port", "\(try FreePort.find())")
            let pid = try Self.gateway(project)
            let lines = String(decoding: try Files.read("/proc/\(pid)/status"), as: UTF8.self).split(separator: "\n")
            func field(_ name: String) -> [Substring] {
                lines.first { $0.hasPrefix(name) }.map { Array($0.split { $0 == "\t" || $0 == " " }.dropFirst()) } ?? []
            }
            #expect(field("NoNewPrivs:") == ["1"] && field("CapEff:") == ["0000000000000000"])
            if geteuid() == 0 {
                #expect(field("Uid:").allSatisfy { $0 == "\(TestProject.gatewayUser)" })
                #expect(field("Gid:").allSatisfy { $0 == "\(TestProject.gatewayUser)" })
                #expect(field("Groups:") == [])
            }
            let names = try Files.read("/proc/\(pid)/environ").split(separator: 0).map { $0.prefix { $0 != 61 } }
            let allowed: Set<String> = ["PATH", "LANG", "HOME", "PM_NAME", "PM_SOCK", "PM_CHANNEL_FD"]
            let foreign = names.map { String(decoding: $0, as: UTF8.self) }.filter { !allowed.contains($0) }
            // pm-init's own mark, by which it finds what it started.
            #expect(foreign.allSatisfy { $0.hasPrefix("PM_") }, "\(foreign)")
        }
    }

    @Test func `is started again when it is killed, and nothing else notices`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            try project.must("connect", "pm", "tcp", "--tcp-port", "\(port)")
            let before = try (project.daemonID(), project.status("svc")["pid"])
            let old = try Self.gateway(project)
            let client = try WireClient(port: port)
            client.send(Self.call + "\n")
            #expect(client.line() == Self.answer)
            kill(old, SIGKILL)
            #expect(client.rest() == "")
            #expect(eventually { Self.isServed(port) })
            let row = try project.status("pm-gateway")
            #expect(row["pid"]?.int != Int(old) && row["restarts"]?.int == 1)
            #expect(try (project.daemonID(), project.status("svc")["pid"]) == before)
        }
    }

    @Test func `runs on while the daemon is replaced`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            try project.must("connect", "pm", "tcp", "--tcp-port", "\(port)")
            let pid = try Self.gateway(project)
            let client = try WireClient(port: port)
            client.send(Self.call + "\n")
            #expect(client.line() == Self.answer)
            // An upgrade does not even end connections.
            try project.must("upgrade")
            client.send(Self.call + "\n")
            #expect(client.line() == Self.answer)
            kill(try project.daemonID(), SIGKILL)
            #expect(client.rest() == "")
            // The socket is held: a client that comes at once is served by the next daemon.
            #expect(Self.isServed(port))
            #expect(try Self.gateway(project) == pid)
        }
    }

    @Test func `is started again by a daemon that finds another configuration, or other points in the file`()
        async throws
    {
        try await Self.with { project in
            let (first, second, third) = (try FreePort.find(), try FreePort.find(), try FreePort.find())
            try project.must("connect", "pm", "tcp", "--tcp-port", "\(first)")
            func edit(_ from: UInt16, _ to: UInt16) throws {
                let text = try project.read(".pm.config.json")
                try project.write(".pm.config.json", text.replacing(":\(from)\"", with: ":\(to)\""))
            }
            try edit(first, second)
            try project.must("status")
            #expect(eventually { Self.isServed(second) } && !Self.isServed(first))
            let daemon = try project.daemonID()
            kill(daemon, SIGSTOP)
            try edit(second, third)
            kill(daemon, SIGKILL)
            #expect(eventually { Self.isServed(third) } && !Self.isServed(second))
        }
    }

    @Test func `tells the daemon what it cannot listen at, and goes on trying`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            try TestGateway.with(project, ["jsonrpc+tcp://127.0.0.1:PORT"]) { other in
                let reason = "pm-gateway cannot listen at jsonrpc+tcp://127.0.0.1:\(other.port): Address already in use"
                let outcome = try project.run([
                    TestPaths.pm, "connect", "pm", "tcp", "http", "--tcp-port", "\(other.port)", "--port", "\(port)",
                ])
                #expect(outcome.code == 73, "\(outcome)")
                #expect(outcome.errors.contains("the connection points are stored, but \(reason)"), "\(outcome)")
                // The other place is served all the same.
                #expect((try? WireClient(port: port)) != nil)
                let status = try project.pm("status")
                #expect(status.errors.contains(reason), "\(status)")
                // A successor of the daemon knows it too.
                kill(try project.daemonID(), SIGKILL)
                try project.until("pm", "told of the port") { $0["problems"]?.text.contains(reason) == true }
            }
            try project.until("pm", "told that all is well") { $0["problems"] == nil }
        }
    }

    @Test func `is not exposed without a proof`() async throws {
        try await Self.with { project in
            try project.writeSecret("token", "0123456789abcdef\n")
            let cases: [([String], String)] = [
                (["tcp", "--tcp-port", "0.0.0.0:1234"], "other machines could connect to"),
                (["ws", "--host", "::", "--port", "1234"], "other machines could connect to"),
                (["tcp", "--host", "0.0.0.0", "--token", "token"], "other machines could connect to"),
                (["http", "--host", "example.org"], "other machines could connect to"),
                (["tcp", "--tcp-port", "/tmp/other.sock"], "the daemon already listens at its own socket"),
                (["local", "--socket-name", "other"], "the daemon already listens at its own socket"),
                (["--key", "k"], "no transport is given"),
                (["bogus"], "there is no transport bogus"),
            ]
            for (words, reason) in cases {
                let outcome = try project.run([TestPaths.pm, "connect", "pm"] + words)
                #expect(outcome.code == 65 && outcome.errors.contains(reason), "\(words) \(outcome)")
            }
            // What stands in the file all the same is not served, and pm says why.
            let text = try project.read(".pm.config.json")
            let own = "\"jsonrpc+unix://\(project.socket)\": {}"
            #expect(text.contains(own))
            try project.write(
                ".pm.config.json", text.replacing(own, with: own + ", \"jsonrpc+tcp://0.0.0.0:1234\": {}"))
            let status = try project.pm("status")
            let problem =
                "clients on the network are not served: other machines could connect to jsonrpc+tcp://0.0.0.0:1234"
            #expect(status.errors.contains(problem), "\(status)")
            #expect((try? WireClient(port: 1234)) == nil)
            let port = try FreePort.find()
            let shown = try project.must(
                "connect", "pm", "http", "--host", "0.0.0.0", "--port", "\(port)", "--token", "token")
            #expect(shown.contains("http://0.0.0.0:\(port)  {\"token\":\"\(project.directory)/token\"}"), "\(shown)")
            let client = try WireClient(port: port)
            client.send("GET /text HTTP/1.0\r\nHost: x\r\n\r\n")
            #expect(client.rest()?.hasPrefix("HTTP/1.1 401 ") == true)
        }
    }

    /// What a process of another user gets for a text over TCP: a line of JSON-RPC, or a page until the gateway closes.
    private static func ask(_ project: TestProject, _ port: UInt16, _ text: String) throws -> String {
        let script =
            "exec 3<>/dev/tcp/127.0.0.1/$0; printf '%b' \"$1\" >&3; "
            + (text.contains("HTTP/1.1") ? "exec cat <&3" : "exec head -n 1 <&3")
        let words = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "bash", "-c", script]
        return try project.run(words + ["\(port)", text]).output
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func `serves on loopback only processes of root and of the daemon's user, unless whoever reaches it is trusted`()
        async throws
    {
        try await Self.with { project in
            let (lines, web) = (try FreePort.find(), try FreePort.find())
            try project.must("connect", "pm", "tcp", "http", "--tcp-port", "\(lines)", "--port", "\(web)")
            #expect(Self.isServed(lines))
            let request = #"GET /text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"#
            let refused = "this connection point is for root, and user 65533 has connected"
            let answer = try Self.ask(project, lines, Self.call + #"\n"#)
            #expect(answer.contains(refused) && answer.contains("403") && !answer.contains("42"), "\(answer)")
            let page = try Self.ask(project, web, request)
            #expect(page.hasPrefix("HTTP/1.1 403 Forbidden\r\n") && page.contains(refused), "\(page)")
            // The configuration may say that everybody is trusted; the status of pm shows it for as long.
            let trusting = ["tcp", "http", "--trust", "network", "--host", "0.0.0.0"]
            let ports = ["--tcp-port", "\(lines)", "--port", "\(web)"]
            let shown = try project.run([TestPaths.pm, "connect", "pm"] + trusting + ports)
            #expect(shown.code == 0, "\(shown)")
            #expect(try Self.ask(project, lines, Self.call + #"\n"#) == Self.answer + "\n")
            #expect(try Self.ask(project, web, request).hasSuffix("plain"))
            let problem = "jsonrpc+tcp://0.0.0.0:\(lines) asks for no proof (\"trust\": \"network\")"
            #expect(try project.pm("status").errors.contains(problem))
            let wrong = try project.pm("connect", "pm", "tcp", "--trust", "everybody")
            #expect(wrong.code == 65 && wrong.errors.contains("\"network\" is the only value"), "\(wrong)")
        }
    }

    @Test func `is reached with TLS by what pm connect was given`() async throws {
        try await Self.with { project in
            let tls = try TestCertificates(project)
            let port = try FreePort.find()
            let words = ["tcp", "--host", "0.0.0.0", "--tcp-port", "\(port)"]
            let files = ["--key", "tls/server.key", "--cert", "tls/server.pem", "--ca", "tls/ca.pem"]
            let outcome = try project.run([TestPaths.pm, "connect", "pm"] + words + files)
            #expect(outcome.code == 0 && outcome.output.contains("jsonrpc+tcp+tls://0.0.0.0:\(port)"), "\(outcome)")
            let place = (kind: "lines", where: "\(port)")
            #expect(try TLSClient.ask(tls, at: place, Self.call, .init(name: "client")).hasSuffix(Self.answer))
            #expect(try TLSClient.ask(tls, at: place, Self.call).hasPrefix("failed"))
        }
    }
}

extension TestProject {
    /// The user of the gateway of root's daemon, and its group: numbers that no system has by chance.
    static let gatewayUser: uid_t = 54321

    /// Starts a daemon that may run a gateway.
    func startForGateway(adding variables: [String: String] = [:]) throws {
        guard geteuid() == 0 else {
            let started = try run([TestPaths.pm, "start", "pm", "--wait"], adding: variables)
            guard started.code == 0 else { throw TestFailure("the daemon does not start: \(started)") }
            return
        }
        chmod(String(directory.dropLast("/project".count)), 0o755)
        chmod(directory, 0o755)
        // The stage may be where only root can look.
        try copy(TestPaths.stage, to: "stage")
        let user = Self.gatewayUser
        try write("passwd", "root:x:0:0::/root:/bin/sh\npm-gateway:x:\(user):\(user)::/:/bin/false\n")
        // No group pm: the gateway needs none.
        try write("group", "root:x:0:\npm-gateway:x:\(user):\n")
        let mounts = "mount --bind passwd /etc/passwd && mount --bind group /etc/group"
        let words = "\(mounts) && exec stage/bin/pm start pm --wait"
        let started = try run(["unshare", "--mount", "sh", "-c", words], adding: variables)
        guard started.code == 0 else { throw TestFailure("the daemon does not start: \(started)") }
    }
}
