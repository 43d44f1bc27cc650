import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What clients of the gateway may do, and the gateway itself.
@Suite(.serialized) struct `Rights over the gateway` {
    /// A project with the services `svc` and `other`, whose daemon may run a gateway.
    private static func with(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            let definition: JSONValue = ["path": "./svc/commands.json", "type": "nodejs", "commandable": true]
            try project.configure(["svc": definition, "other": definition])
            try project.startForGateway()
            for name in ["svc", "other"] { try project.must("start", name, "--wait") }
            try body(project)
        }
    }

    /// Sets the daemon's connection points, as a person does in the file.
    private static func serve(_ project: TestProject, _ points: JSONObject) throws {
        var file = try #require(JSONValue(parsing: project.read(".pm.config.json")).object)
        var mapping = try #require(file["mapping"]?.object)
        var pm = try #require(mapping["pm"]?.object)
        var all = points
        all["jsonrpc+unix://\(project.socket)"] = [:]
        pm["connect"] = .object(all)
        mapping["pm"] = .object(pm)
        file["mapping"] = .object(mapping)
        try project.write(".pm.config.json", JSONValue.object(file).text)
        try project.must("ls")
        try project.until("pm-gateway", "serving") { $0["ready"]?.bool == true }
        // Both services want the same routes.
        let problems = (try project.status("pm")["problems"]?.array ?? []).compactMap(\.string)
        #expect(problems.allSatisfy { $0.hasPrefix("other: ") }, "\(problems)")
    }

    private static func call(_ port: UInt16, _ token: String, _ method: String, _ params: String = "[20,22]") throws
        -> String
    {
        let client = try WireClient(port: port)
        let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        client.send(
            "POST /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return client.rest() ?? "nothing"
    }

    private static let refused = #""statusCode":403,"message":"#

    @Test func `a token may call what its list names, and sees nothing else`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            for (name, token) in [("all", "0123456789abcdef"), ("some", "fedcba9876543210")] {
                try project.writeSecret(name, token)
            }
            let some: JSONValue = ["file": "some", "allow": ["svc.add", "status"]]
            try Self.serve(project, ["http://127.0.0.1:\(port)": ["tokens": ["all", some]]])
            let (all, few) = ("0123456789abcdef", "fedcba9876543210")
            for name in ["svc", "other"] {
                #expect(try Self.call(port, all, "\(name).add").contains(#""result":"#))
            }
            #expect(try Self.call(port, few, "svc.add").contains(#""result":42"#))
            #expect(try Self.call(port, few, "status", "[]").contains(#""result":["#))
            let methods = [
                ("other.add", "[1,2]"), ("svc.slow", "[]"), ("ls", "[]"), ("map", "[]"), ("start", #"["svc"]"#),
                ("stop", "[]"), ("confine", "[]"), ("session", #"[{"point":"ws://127.0.0.1:1,trust=network"}]"#),
                ("svc.$stop", "[]"), ("none.add", "[]"), ("log", "[]"),
            ]
            for (method, params) in methods {
                let answer = try Self.call(port, few, method, params)
                #expect(answer.contains(Self.refused) || answer.contains("-32601"), "\(method): \(answer)")
            }
            let metadata = try Self.call(port, few, "$metadata", "[true]")
            #expect(metadata.contains(#""svc.add""#), "\(metadata)")
            for name in ["other.add", "svc.slow", "\"start\"", "\"ls\""] {
                #expect(!metadata.contains(name), "\(name)")
            }
            let offered = try Self.call(port, few, "svc.$metadata", "[]")
            #expect(offered.contains(#""name":"add""#), "\(offered)")
            for name in ["slow", "\"fs\"", "commands.json"] { #expect(!offered.contains(name), "\(offered)") }
            #expect(try Self.call(port, few, "other.$metadata", "[]").contains(Self.refused))
            #expect(try Self.call(port, "wrong-token-of-ours", "svc.add").contains(" 401 "))
            #expect(try project.status("svc")["running"]?.bool == true)
        }
    }

    @Test func `routes are those of the token, whoever asked before`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            for (name, token) in [("all", "0123456789abcdef"), ("none", "fedcba9876543210")] {
                try project.writeSecret(name, token)
            }
            let none: JSONValue = ["file": "none", "allow": ["status"]]
            try Self.serve(project, ["http://127.0.0.1:\(port)": ["tokens": ["all", none]]])
            func get(_ token: String, on client: WireClient) throws -> String {
                client.send("GET /text HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n")
                let status = try #require(client.line())
                var length = 0
                while let line = client.line(), line != "\r", !line.isEmpty {
                    if line.hasPrefix("Content-Length: ") { length = Int(line.dropFirst(16).filter(\.isNumber)) ?? 0 }
                }
                _ = client.receive(length)
                return status
            }
            // One connection, with one token after the other.
            let client = try WireClient(port: port)
            for _ in 0..<3 {
                #expect(try get("0123456789abcdef", on: client).contains(" 200 "))
                #expect(try get("fedcba9876543210", on: client).contains(" 404 "))
            }
        }
    }

    @Test func `a certificate counts by a name or its fingerprint, and not when it is revoked`() async throws {
        try await Self.with { project in
            let tls = try TestCertificates(project)
            try tls.issue("second", by: "ca", project)
            let port = try FreePort.find()
            let options: JSONObject = ["key": "tls/server.key", "cert": "tls/server.pem", "ca": "tls/ca.pem"]
            let url = "jsonrpc+tcp+tls://127.0.0.1:\(port)"
            func ask(_ name: String, _ method: String = "svc.add") throws -> String {
                let line = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":[20,22]}"#
                return try TLSClient.ask(tls, at: ("lines", "\(port)"), line, .init(name: name))
            }
            var named = options
            named["clients"] = [["name": "client", "allow": ["svc"]]]
            try Self.serve(project, [url: .object(named)])
            #expect(try ask("client").hasSuffix(#""result":42,"jsonrpc":"2.0"}"#))
            #expect(try ask("client", "other.add").contains(Self.refused))
            #expect(try ask("second").contains("is none of the clients of \(url)"))
            let digest = try project.run(
                ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", "second.pem"], in: "tls")
            let fingerprint = try #require(digest.output.split(separator: "=").last).filter { $0 != "\n" }
            named["clients"] = [.string("sha256:" + fingerprint)]
            try Self.serve(project, [url: .object(named)])
            #expect(eventually { (try? ask("second").contains(#""result":42"#)) == true })
            #expect(try ask("client").contains("is none of the clients"))
            try tls.revoke("second", by: "ca", project)
            named["crl"] = "tls/ca.crl"
            try Self.serve(project, [url: .object(named)])
            #expect(eventually { (try? ask("second").hasPrefix("failed")) == true })
            named["clients"] = nil
            try Self.serve(project, [url: .object(named)])
            #expect(eventually { (try? ask("client").contains(#""result":42"#)) == true })
            #expect(try ask("second").hasPrefix("failed"))
        }
    }

    @Test func `a session goes on with its rights while the daemon is replaced`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            try Self.serve(project, ["jsonrpc+tcp://127.0.0.1:\(port)": ["allow": ["svc.add"]]])
            let client = try WireClient(port: port)
            func ask(_ method: String) -> String {
                client.send(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":[20,22]}"# + "\n")
                return client.line() ?? "nothing"
            }
            for _ in 0..<2 {
                #expect(ask("svc.add").contains(#""result":42"#))
                #expect(ask("other.add").contains("is not among what this client may call"))
                try project.must("upgrade")
            }
            #expect(ask("svc.add").contains(#""result":42"#))
            #expect(ask("ls").contains("is not among what this client may call"))
            // A line that is no message ends the connection: what comes behind it is not executed.
            client.send("POST / HTTP/1.1\r\n" + #"{"jsonrpc":"2.0","id":1,"method":"svc.add","params":[20,22]}"# + "\n")
            #expect(client.rest()?.contains(#""result""#) == false)
        }
    }

    @Test func `a key and a token that others can read are refused, with the command that mends it`() async throws {
        try await Self.with { project in
            let tls = try TestCertificates(project)
            chmod(tls.file("server.key"), 0o644)
            let port = try FreePort.find()
            let files = ["--key", "tls/server.key", "--cert", "tls/server.pem"]
            let refused = try project.run([TestPaths.pm, "connect", "pm", "http", "--port", "\(port)"] + files)
            let text = "the key \(tls.file("server.key")) is not used: other users of this machine can read it"
            #expect(refused.code != 0 && refused.errors.contains(text), "\(refused)")
            #expect(refused.errors.contains("chmod o= \(tls.file("server.key"))"))
            try project.write("token", "0123456789abcdef")
            let open = try FreePort.find()
            try Self.serve(project, ["http://127.0.0.1:\(open)": ["token": "token"]])
            #expect(try Self.call(open, "0123456789abcdef", "svc.add").contains(" 401 "))
            #expect(
                eventually {
                    project.stateFile("pmd.log").map { String(decoding: $0, as: UTF8.self).contains("chmod o= ") }
                        == true
                })
            chmod(project.directory + "/token", 0o600)
            #expect(try Self.call(open, "0123456789abcdef", "svc.add").contains(#""result":42"#))
        }
    }

    @Test func `errors are shown over TCP as a stranger may see them`() async throws {
        try await Self.with { project in
            let port = try FreePort.find()
            try Self.serve(project, ["jsonrpc+tcp://127.0.0.1:\(port)": [:]])
            let client = try WireClient(port: port)
            client.send(#"{"jsonrpc":"2.0","id":1,"method":"svc.fail","params":["418"]}"# + "\n")
            let answer = client.line() ?? ""
            #expect(answer.contains(#""error":{"#) && answer.contains(#""message":"#), "\(answer)")
            #expect(!answer.contains("stack") && !answer.contains(project.directory), "\(answer)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root's gateway is another user"))
    func `without a user of its name the gateway has an id that nobody else has`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            chmod(String(project.directory.dropLast("/project".count)), 0o755)
            chmod(project.directory, 0o755)
            try project.copy(TestPaths.stage, to: "stage")
            let taken = (61_184..<65_000).map { "u\($0):x:\($0):\($0)::/:/bin/false" }.joined(separator: "\n")
            try project.write("passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n\(taken)\n")
            let words = "mount --bind passwd /etc/passwd && exec stage/bin/pm start pm --wait"
            let started = try project.run(["unshare", "--mount", "sh", "-c", words])
            #expect(started.code == 0, "\(started)")
            try project.must("connect", "pm", "tcp", "--tcp-port", "\(try FreePort.find())")
            let pid = try #require(project.status("pm-gateway")["pid"]?.int)
            let owner = try #require(Files.status("/proc/\(pid)")?.owner)
            #expect((65_000..<65_520).contains(owner), "\(owner)")
            let arguments = try Files.read("/proc/\(pid)/cmdline").split(separator: 0).map {
                String(decoding: $0, as: UTF8.self)
            }
            let gate = String(try #require(arguments.first { $0.hasPrefix("jsonrpc+unix:///run/pm/") }).dropFirst(15))
            #expect(try Files.status(gate)?.owner == owner)
        }
    }

    /// What a process with exactly the gateway's ids hears at a socket, after these lines.
    private static func asGateway(_ project: TestProject, _ socket: String, _ lines: [String]) throws -> Outcome {
        let script = """
            const socket = require('net').connect(process.argv[1]);
            socket.on('error', (error) => { console.log('error ' + error.code); process.exit(); });
            socket.on('connect', () => socket.end(process.argv.slice(2).map((line) => line + '\\n').join('')));
            socket.on('data', (data) => process.stdout.write(data));
            """
        let user = "\(TestProject.gatewayUser)"
        let words = [
            "setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--no-new-privs", "--inh-caps=-all",
        ]
        return try project.run(words + ["node", "-e", script, socket] + lines)
    }

    private static let order = #"{"jsonrpc":"2.0","id":1,"method":"map","params":["evil","/usr/bin/id"]}"#

    /// What a gateway that was taken over could say at the gate of a daemon with these points.
    private static func attempts(lines port: UInt16, web: UInt16, own: String) -> [[String]] {
        func session(_ point: String, _ more: String = "") -> String {
            #"{"jsonrpc":"2.0","id":0,"method":"session","params":[{"point":"\#(point)"\#(more)}]}"#
        }
        let forged =
            #","client":"127.0.0.1:1","server":"127.0.0.1:\#(port)","certificate":{"fingerprint":"","names":["root"]}"#
        return [
            [order], ["POST / HTTP/1.1", order], [session("jsonrpc+tcp://127.0.0.1:\(port)"), order],
            [session("jsonrpc+tcp://127.0.0.1:\(port),trust=network"), order],
            [session("http://127.0.0.1:\(web)", #","token":"0123456789abcdeX""#), order],
            [session("http://127.0.0.1:\(web),trust=network"), order], [session("jsonrpc+unix://\(own)"), order],
            [session("jsonrpc+tcp://127.0.0.1:\(port)", forged), order],
            [#"{"jsonrpc":"2.0","id":0,"method":"ready","params":[]}"#, order],
            [#"{"jsonrpc":"2.0","id":0,"method":"proxy","params":["svc"]}"#, order],
        ]
    }

    @Test(.enabled(if: geteuid() == 0, "only root's gateway is another user"))
    func `who has the gateway's ids can order nothing`() async throws {
        try await Self.with { project in
            let (port, web) = (try FreePort.find(), try FreePort.find())
            try project.writeSecret("token", "0123456789abcdef")
            try Self.serve(
                project,
                ["jsonrpc+tcp://127.0.0.1:\(port)": [:], "http://127.0.0.1:\(web)": ["token": "token"]])
            let direct = try Self.asGateway(project, project.socket, [Self.order])
            #expect(direct.output == "error EACCES\n", "\(direct)")
            let pid = try #require(project.status("pm-gateway")["pid"]?.int)
            let words = try Files.read("/proc/\(pid)/cmdline").split(separator: 0).map {
                String(decoding: $0, as: UTF8.self)
            }
            let gate = String(try #require(words.first { $0.hasPrefix("jsonrpc+unix:///run/pm/") }).dropFirst(15))
            let attempts = Self.attempts(lines: port, web: web, own: project.socket)
            for lines in attempts {
                let heard = try Self.asGateway(project, gate, lines)
                let isRefused = heard.output.contains("error") || heard.output.contains("HTTP/1.1 400")
                #expect(isRefused && !heard.output.contains("evil"), "\(lines): \(heard)")
            }
            #expect(try project.pm("status", "evil").code != 0)
            // Others do not even get to the gate.
            var status = stat()
            #expect(stat(gate, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(status.st_uid == TestProject.gatewayUser)
            // It goes with the last point for the network.
            try project.must("connect", "pm", "local")
            #expect(stat(gate, &status) != 0)
        }
    }
}

extension TestCertificates {
    /// Makes a list `ca.crl` of one revoked certificate.
    fileprivate func revoke(_ name: String, by authority: String, _ project: TestProject) throws {
        try project.write(
            "tls/ca.cnf",
            """
            [ca]
            default_ca = own
            [own]
            database = index
            default_md = sha256
            default_crl_days = 2
            """)
        try project.write("tls/index", "")
        let ca = ["openssl", "ca", "-config", "ca.cnf", "-cert", "\(authority).pem", "-keyfile", "\(authority).key"]
        for words in [["-revoke", "\(name).pem"], ["-gencrl", "-out", "\(authority).crl"]] {
            let outcome = try project.run(ca + words, in: "tls")
            guard outcome.code == 0 else { throw TestFailure("openssl ca \(words): \(outcome)") }
        }
    }
}
