import JSON
import PMSystem
import PMTestSupport
import Testing

/// Everything that was seen on the wire of the reference is said again, and what we answer otherwise stands in tables
/// with the reason: a difference that is not there fails, and so does one that is there and no longer seen.
@Suite(.serialized) struct `Captures of the reference` {
    @Test func `its messages are answered as it answers them`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            let path = JSONValue.string("file://\(project.directory)/svc/commands.json")
            try project.configure(["svc": ["path": path, "type": "nodejs", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let replay = CaptureReplay(project)
            try replay.play("messages")
            try replay.play("framing")
            try replay.expectSilence()
            expect(replay, CaptureDeviations.messages)
        }
    }

    @Test func `its command line, its container and its sidecar find each other`() async throws {
        try await TestProject.with { project in
            try project.addPuppet()
            let replay = CaptureReplay(project) { method, params in
                method == "$metadata" && params != [.null]
            }
            try replay.play("start")
            try replay.play("bridge")
            try replay.expectSilence(except: ["sidecar", "bridge"])
            expect(replay, CaptureDeviations.services)
        }
    }

    @Test func `its connection points are named alike`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.configure([
                "@scope/my-app": ["path": "./svc/commands.json", "type": "nodejs", "commandable": true]
            ])
            // Files that are not there are refused, which the reference does not.
            for file in ["k.pem", "c.pem"] { try project.write(file, "") }
            try project.startDaemon()
            let replay = CaptureReplay(project)
            let client = try project.client()
            for frame in try CaptureReplay.frames("connect") {
                let (args, options) = (frame["args"] ?? .null, frame["options"] ?? .null)
                let context: JSONValue = ["args": args, "options": options]
                let reply = try client.call("connect", ["@scope/my-app", context])
                let answer = reply?["result"] ?? ["error": reply?["error"]?["message"] ?? .null]
                replay.find(frame["result"] ?? .null, answer, "\(args.text) \(options.text)")
            }
            expect(replay, CaptureDeviations.points)
        }
    }

    @Test func `its streams go through in both directions`() async throws {
        try await TestProject.with { project in
            try project.addPuppet()
            let replay = CaptureReplay(project)
            try replay.play("start")
            let all = try CaptureReplay.frames("streams").map { ($0["from"]?.string, $0["message"] ?? .null) }
            func frames(of name: String) -> [JSONValue] { all.filter { $0.0 == name }.map(\.1) }
            let (client, container) = (try project.client(), try replay.wire("container"))

            for frame in frames(of: "client") {
                try client.send(frame.text.replacing(#""method":"upload""#, with: #""method":"svc.upload""#))
            }
            var id: JSONValue?
            for frame in frames(of: "client") {
                let got = try #require(container.json())
                if got["method"] != nil { id = got["id"] }
                #expect(got == frame.with("id", id ?? .null), "\(got.text)")
            }
            try container.send(JSONValue.object(["id": id ?? .null, "result": "abc", "jsonrpc": "2.0"]).text)
            #expect(client.json()?["result"]?.string == "abc")

            try client.send(#"{"id":"42","method":"svc.stream","params":[2],"jsonrpc":"2.0"}"#)
            let asked = try #require(container.json())
            for frame in frames(of: "container") {
                try container.send(frame.with("id", asked["id"] ?? .null).text)
                #expect(client.json() == frame)
            }
        }
    }

    @Test func `its routes answer, and those that it left open too`() async throws {
        try await TestProject.with { project in
            try project.addCapturedRoutes()
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let replay = CaptureReplay(project)
            try TestGateway.with(project, ["http://127.0.0.1:PORT"]) { gateway in
                for frame in try CaptureReplay.frames("http") {
                    let words = frame["request"]?.string?.split(separator: " ").map(String.init) ?? []
                    let headers =
                        frame["headers"]?.object.map { $0.map { "\($0.key): \($0.value.string ?? "")" } } ?? []
                    let answer = try gateway.request(words[0], words[1], headers, body: frame["sends"]?.string)
                    let captured: JSONValue = ["status": frame["status"] ?? .null, "body": frame["body"] ?? .null]
                    var body: JSONValue = answer.status == 200 ? .string(answer.body) : .null
                    if words[1] == "/$metadata", answer.body.contains("svc.same0") { body = "the metadata" }
                    let ours: JSONValue = ["status": JSONValue(answer.status), "body": body]
                    replay.find(captured, ours, words.joined(separator: " "))
                }
            }
            expect(replay, CaptureDeviations.routes)
        }
    }

    /// Holds what was seen against what is known.
    private func expect(_ replay: CaptureReplay, _ deviations: [CaptureDeviations.Row]) {
        let known = Set(deviations.flatMap(\.seen))
        for text in replay.differences.subtracting(known).sorted() { Issue.record("not in the table: \(text)") }
        for text in known.subtracting(replay.differences).sorted() { Issue.record("no longer seen: \(text)") }
    }
}

extension JSONValue {
    /// An object with another value for a key that it has.
    fileprivate func with(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }
}

extension TestProject {
    /// Registers `svc`, a container that says what the test tells it to, over Node's own channel.
    fileprivate func addPuppet() throws {
        try write(
            "svc.js",
            """
            const server = require('net').createServer((socket) => {
              server.close();
              process.on('message', (text) => {
                // What is sent over the channel is a string in which a message and its line end stand.
                if (typeof text !== 'string' || !/^\\{[^\\n]*\\}\\n$/.test(text)) throw new Error(`not a message: ${text}`);
                socket.write(text);
              });
              let rest = '';
              socket.setEncoding('utf8').on('data', (text) => {
                const lines = (rest + text).split('\\n');
                rest = lines.pop();
                for (const line of lines) process.send(line + '\\n');
              });
              socket.on('close', () => process.exit());
            });
            server.listen('container.sock');
            """)
        try configure(
            ["svc": ["path": "./svc.js", "type": "nodejs", "commandable": true]],
            mapping: ["svc": ["cli": ["--pm-sock", "ipc://"], "restart": ["policy": "never"]]])
        try startDaemon()
    }

    /// Registers `svc`, a container with routes as the captured one had them.
    fileprivate func addCapturedRoutes() throws {
        try write("svc/same.js", "exports.default = (value) => value;")
        try write("svc/joined.js", "exports.default = (a, b) => `${a}${b}`;")
        try write("svc/nothing.js", "exports.default = () => {};")
        try write("svc/fail.js", "exports.default = (m) => { throw Object.assign(new Error(m), { statusCode: 418 }) };")
        let routes: [(file: String, http: JSONValue)] = [
            ("same", ["method": "get", "route": "/echo/{word}", "type": "json", "inject": ["route.word"]]),
            ("same", ["method": "post", "route": "/post", "type": "json", "inject": ["body"]]),
            ("joined", ["method": "get", "route": "/q", "type": "text", "inject": ["query.a", "headers.x-b"]]),
            ("fail", ["method": "get", "route": "/fail", "inject": ["query.m"]]),
            ("nothing", ["method": "get", "route": "/nothing"]),
        ]
        let commands = routes.enumerated().map { place, route -> JSONValue in
            [
                "name": .string("\(route.file)\(place)"),
                "config": ["fs": ["path": .string("./\(route.file).js")], "http": route.http],
            ]
        }
        try write("svc/commands.json", JSONValue.object(["name": "svc", "commands": .array(commands)]).text)
        try configure(["svc": ["path": "./svc/commands.json", "type": "nodejs", "commandable": true]])
    }
}
