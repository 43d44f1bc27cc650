import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm connect` {
    @Test func `shows where a service and pm can be reached`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": try project.sleeper()],
                mapping: [
                    "web": [
                        "container": "web", "connect": ["jsonrpc+tcp://localhost:99": ["host": "a"], "http://h": [:]],
                    ]
                ])
            try project.startDaemon()
            #expect(try project.must("connect", "pm") == "jsonrpc+unix://\(project.socket)\n")
            #expect(
                lines(try project.must("connect", "web")).sorted() == [
                    "http://h", #"jsonrpc+tcp://localhost:99  {"host":"a"}"#,
                ])
            let json = try project.json("connect", "web")
            #expect(json["jsonrpc+tcp://localhost:99"] == ["host": "a"])
            #expect(json["http://h"] == [:])
        }
    }

    @Test func `shows the paths of keys and tokens, and never what is secret`() async throws {
        try await TestProject.with { project in
            let key = "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----\n"
            let options: JSONValue = [
                "key": .string(key), "cert": .string("-----BEGIN CERTIFICATE-----\nopen\n" + key), "ca": "/ca.pem",
                "token": "S3CRET", "passphrase": "S3CRET", "pfx": "S3CRET", "unknown": "S3CRET",
            ]
            let points: JSONValue = [
                "jsonrpc+tcp+tls://localhost:99": options, "https://me:S3CRET@h:1/": ["key": "/k.pem", "token": "/t"],
            ]
            try project.configure(
                ["web": try project.sleeper()], mapping: ["web": ["container": "web", "connect": points]])
            try project.startDaemon()
            let json = try project.json("connect", "web")
            #expect(json["jsonrpc+tcp+tls://localhost:99"] == ["ca": "/ca.pem"])
            #expect(json["https://h:1/"] == ["key": "/k.pem", "token": "/t"])
            #expect(!json.text.contains("S3CRET"))
            #expect(try !project.must("connect", "web").contains("S3CRET"))
        }
    }

    @Test func `tells a service without a point of its own from one that does not exist`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            let web = try project.pm("connect", "web")
            #expect(web.code == 66)
            #expect(
                web.errors.hasPrefix("pm: web has no connection point of its own; it is reached through pm\nhint: "))
            #expect(web.errors.contains("pm connect web local"))
            let ghost = try project.pm("connect", "ghost")
            #expect(ghost.code == 66)
            #expect(ghost.errors == "pm: Mapping ghost could not be found\nhint: pm ls shows what there is\n")
            #expect(try project.pm("connect").code == 64)
        }
    }

    @Test func `stores connection points, named as the reference names them`() async throws {
        try await TestProject.with { project in
            try project.addReachable("@scope/my-app", "svc")
            let name = "@scope/my-app"
            let folder = project.directory
            func set(_ arguments: String...) throws -> JSONValue {
                let shown = try JSONValue(
                    parsing: project.run([TestPaths.pm, "-o", "json", "connect", name] + arguments).output)
                #expect(try project.json("connect", name) == shown)
                return shown
            }
            #expect(try set("local") == .object(["jsonrpc+unix://\(folder)/scope-my-app.sock": [:]]))
            #expect(try set("tcp", "--tcp-port", "31600") == ["jsonrpc+tcp://127.0.0.1:31600": [:]])
            #expect(try set("--tcp-port", "0.0.0.0:31601") == ["jsonrpc+tcp://0.0.0.0:31601": [:]])
            #expect(try set("tcp", "--tcp-port", "/tmp/x.sock") == ["jsonrpc+unix:///tmp/x.sock": [:]])
            #expect(try set("http") == ["http://127.0.0.1:80": [:]])
            #expect(try set("http", "--host", "::1", "--port", "8080") == ["http://[::1]:8080": [:]])
            #expect(try set("ws", "--port", "8080") == ["ws://127.0.0.1:8080": [:]])
            let tls: JSONValue = ["key": .string("\(folder)/k.pem"), "cert": .string("\(folder)/c.pem")]
            let files = ["--key", "k.pem", "--cert", "c.pem"]
            let missing = try project.run([TestPaths.pm, "connect", name, "http"] + files)
            #expect(missing.code == 66 && missing.errors.contains("there is no file \(folder)/k.pem for --key"))
            for file in ["k.pem", "c.pem"] { try project.write(file, "") }
            let words = ["-o", "json", "connect", name, "http", "ws", "tcp", "local", "--tcp-port", "1234"]
            let all = try JSONValue(parsing: project.run([TestPaths.pm] + words + files).output)
            #expect(
                all.text
                    == JSONValue.object([
                        "jsonrpc+unix+tls://\(folder)/scope-my-app.sock": tls, "jsonrpc+tcp+tls://127.0.0.1:1234": tls,
                        "wss://127.0.0.1:443": tls, "https://127.0.0.1:443": tls,
                    ]).text)
            #expect(try project.must("connect", "svc", "--socket-name", "short").hasSuffix("/short.sock\n"))
            #expect(try project.must("connect", "svc", "none") == "svc has no connection point of its own\n")
            #expect(try project.pm("connect", "svc").code == 66)
            #expect(try project.must("connect", "pm", "none") == "jsonrpc+unix://\(project.socket)\n")
            #expect(try project.pm("connect", "ghost", "none").code == 66)
        }
    }

    @Test func `refuses what cannot be listened at`() async throws {
        try await TestProject.with { project in
            try project.addReachable("svc")
            func refusal(_ arguments: String...) throws -> String {
                let outcome = try project.run([TestPaths.pm, "connect"] + arguments)
                #expect(outcome.code == 65, "\(outcome)")
                return outcome.errors
            }
            #expect(try refusal("svc", "bogus").contains("there is no transport bogus"))
            #expect(try refusal("svc", "tcp").contains("tcp needs a port"))
            #expect(try refusal("svc", "--tcp-port", "1:2:x").contains("--tcp-port must be PORT or HOST:PORT"))
            #expect(try refusal("svc", "--port", "70000").contains("--port must be PORT or HOST:PORT"))
            #expect(try refusal("svc", "--key", "k.pem").contains("a key needs its certificate"))
            #expect(try refusal("svc", "--cert", "c.pem").contains("a certificate needs its key"))
            #expect(try refusal("svc", "--socket-name", "/" + String(repeating: "x", count: 120)).contains("107 bytes"))
            #expect(try refusal("svc", "tcp", "--tcp-port", "1", "--ca", "c").contains("a certificate needs its key"))
            #expect(try refusal("svc", "http", "--token", "t").contains("--token is for the connection points of pm"))
            #expect(
                try refusal("pm", "tcp", "--tcp-port", "0.0.0.0:1").contains("other machines could connect to"))
            #expect(try project.pm("connect", "svv", "local").code == 66)
            #expect(try project.pm("connect", "svc").code == 66)
        }
    }
}

extension TestProject {
    /// Starts a daemon for commandable services of these names.
    fileprivate func addReachable(_ names: String...) throws {
        try write("commands.json", #"{"name":"x","commands":[]}"#)
        let definition: JSONValue = ["path": "./commands.json", "commandable": true]
        try configure(.object(JSONObject(names.map { ($0, definition) })))
        try startDaemon()
    }
}
