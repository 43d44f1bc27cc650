import JSON
import PMAPI
import PMModel
import Testing

@testable import PMCommands

@Suite struct ServiceCommandTests {
    private static let web: JSONValue = [
        "name": "web", "pid": 12, "state": "up", "execPath": "/bin/x", "args": [], "cwd": "/",
    ]

    @Test func `a start says what runs`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ in Self.web }
        #expect(fixture.run("start", "web", "--wait", "--", "a") == 0)
        #expect(fixture.output.text == "web is up, pid 12\n" && fixture.errors.text == "")
        // The second call asks what is odd in the configuration.
        let expected: [ScriptedServer.Call] = [
            .init(method: "start", params: ["web", ["wait": true, "settle": true, "args": ["a"]]]),
            .init(method: "status", params: ["pm"]),
        ]
        #expect(fixture.calls == expected)
    }

    @Test func `with -o json the daemon's answer is the result`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ in Self.web }
        fixture.run("restart", "web", "-o", "json")
        #expect(fixture.output.text == Self.web.text + "\n")
    }

    @Test func `a service that dies before it is ready shows its last output and exits with 70`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ throws(APIError) in
            throw .serviceFailed("web died: exit code 1", output: ["boom"], hint: "pm log web")
        }
        #expect(fixture.run("start", "web", "--wait") == 70)
        #expect(fixture.output.text == "")
        #expect(fixture.errors.text == "pm: web died: exit code 1\n  | boom\nhint: pm log web\n")
    }

    @Test func `without a daemon a start exits with 69 and says how to start one`() throws {
        let fixture = try CommandFixture()
        #expect(fixture.run("start", "web", "--pm-sock", fixture.directory + "/none.sock") == 69)
        #expect(fixture.errors.text.hasSuffix("hint: pm start pm\n"))
    }

    @Test func `a stop says what ended, and fails when something did not`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ in ["stopped": ["web"], "survivors": []] }
        #expect(fixture.run("stop", "web") == 0)
        #expect(fixture.output.text == "web stopped\n")
        let stuck = try CommandFixture()
        try stuck.serve { _ in ["stopped": [], "survivors": [["name": "web", "pid": 9]]] }
        #expect(stuck.run("stop", "web") == 70)
        #expect(stuck.errors.text == "pm: cannot end process 9 of web\n")
    }

    @Test func `stopping what does not run is fine`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ in .null }
        #expect(fixture.run("stop", "web") == 0)
        #expect(fixture.output.text == "web was not running\n")
    }

    @Test func `status says on standard error who answers`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { call in
            if call.method == "version" {
                return Version.Answer(pid: 7, config: "/srv/.pm.config.json", scope: "project", socket: "/s").json
            }
            return [UnitStatus(name: "web", wanted: .up, state: .up).json]
        }
        #expect(fixture.run("status") == 0)
        #expect(
            fixture.errors.text
                == "pm \(Version.current), project daemon of /srv/.pm.config.json, pid 7\n1 service: 1 starting or stopping\n"
        )
        #expect(fixture.output.text.split(separator: "\n").map { $0.prefix(4) } == ["NAME", "web "])
    }

    @Test func `status of one service shows its last words`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { call throws(APIError) in
            if call.method == "version" { throw .badRequest("no package name") }
            var row = UnitStatus(name: "web", wanted: .up, state: .cooling)
            row.lastExit = DeathRecord(
                incarnation: 1, reason: .exited(code: 1), at: StoppedClock().now, uptime: .seconds(1))
            row.lastExit?.lastLines = ["boom"]
            return [row.json]
        }
        #expect(fixture.run("status", "web") == 0)
        #expect(
            fixture.output.text.hasSuffix("\nlast output before exit code 1, 0ms ago:\n  | boom\n\nhint: pm log web\n"))
    }

    @Test func `status as json is what the daemon sent, and nothing else`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ in [["name": "web", "running": true, "new": [1]]] }
        #expect(fixture.run("status", "-o", "json") == 0)
        #expect(
            fixture.output.text == #"[{"name":"web","running":true,"new":[1]}]"# + "\n" && fixture.errors.text == "")
        #expect(fixture.calls.map(\.method) == ["status"])
    }

    @Test func `the registry is asked with the working directory`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { call in call.method == "map" ? "web" : [:] }
        #expect(fixture.run("map", "web", "./x.js", "-c") == 0)
        #expect(fixture.output.text == "web\n")
        let call = try #require(fixture.calls.first { $0.method == "map" })
        #expect(call.params[4] == ["commandable": true] && call.params[3]?.string?.first == "/")
        let discover = try CommandFixture()
        try discover.serve { _ in ["a", "b"] }
        discover.run("discover", "/srv/x")
        #expect(discover.output.text == "a\nb\n")
    }

    @Test func `connect prints the points, the preferred first`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ in ["jsonrpc+unix:///srv/web.sock": [:], "jsonrpc+tcp+tls://h:1": ["key": "k"]] }
        #expect(fixture.run("connect", "web") == 0)
        #expect(
            fixture.output.text == "jsonrpc+unix:///srv/web.sock\njsonrpc+tcp+tls://h:1  {\"key\":\"k\"}\n")
    }

    @Test func `errors are objects with -o json`() throws {
        let fixture = try CommandFixture()
        try fixture.serve { _ throws(APIError) in throw .notFound("there is no service web", hint: "pm ls") }
        #expect(fixture.run("connect", "web", "-o", "json") == 66)
        #expect(
            fixture.errors.text
                == #"{"error":{"statusCode":404,"message":"there is no service web","hint":"pm ls"},"exitCode":66}"#
                + "\n")
    }
}

@Suite struct CallCommandTests {
    private func serve(
        _ fixture: CommandFixture, metadata: JSONValue = ["name": "api", "commands": []],
        _ answer: @escaping @Sendable (JSONValue) throws(APIError) -> JSONValue
    ) throws {
        try fixture.serve { call throws(APIError) in
            call.method == "$metadata" ? metadata : try answer(call.params)
        }
    }

    @Test func `a string is printed as it is, other results as JSON, nothing as nothing`() throws {
        let expected: [(JSONValue, String)] = [
            ("Hello\tAda", "Hello\tAda\n"), (0, "0\n"), (false, "false\n"), ("", "\n"), (.null, ""),
            (["a": [1, 2]], "{\n  \"a\": [\n    1,\n    2\n  ]\n}\n"),
        ]
        for (result, text) in expected {
            let fixture = try CommandFixture()
            try serve(fixture) { _ in result }
            #expect(fixture.run("api", "greet") == 0)
            #expect(fixture.output.text == text)
        }
    }

    @Test func `with -o json every result is JSON`() throws {
        for (result, text) in [("x", "\"x\"\n"), (.null, "null\n"), (["a": 1], "{\"a\":1}\n")] as [(JSONValue, String)]
        {
            let fixture = try CommandFixture()
            try serve(fixture) { _ in result }
            #expect(fixture.run("-o", "json", "api", "greet") == 0)
            #expect(fixture.output.text == text)
        }
    }

    @Test func `arguments go by the command's own description`() throws {
        let fixture = try CommandFixture()
        let config: JSONValue = [
            "": ["inject": ["params.0"]], "cli": ["usage": "greet <who>", "inject": ["options.who"]],
        ]
        let metadata: JSONValue = ["name": "api", "commands": [["name": "greet", "config": config]]]
        try serve(fixture, metadata: metadata) { params in params }
        #expect(fixture.run("api", "greet", "Ada") == 0)
        #expect(fixture.calls.map(\.method) == ["$metadata", "api.greet"])
        #expect(fixture.calls[0].params == [true, "api"] && fixture.calls[1].params == ["Ada"])
        let wrong = try CommandFixture()
        try serve(wrong, metadata: metadata) { params in params }
        #expect(wrong.run("api", "greet") == 64)
        #expect(wrong.errors.text == "pm: who is missing; usage: pm api greet <who>\n")
    }

    @Test func `a question is put and its answer sent along`() throws {
        let fixture = try CommandFixture()
        fixture.willAnswer("Ada", "42")
        try serve(fixture) { params throws(APIError) in
            guard let options = params["options"] else {
                throw Interaction(message: "Your name?", option: "who").error
            }
            guard params["params"]?.array?.count == 2 else { throw Interaction(message: "Your age?").error }
            return ["who": options["who"] ?? .null, "params": params["params"] ?? .null]
        }
        #expect(fixture.run("-o", "json", "api", "ask", "x") == 0)
        #expect(fixture.output.text == #"{"who":"Ada","params":["x","42"]}"# + "\n")
        #expect(fixture.errors.text == "Your name? Your age? ")
    }

    @Test func `a question without an answer is a failure`() throws {
        let fixture = try CommandFixture()
        try serve(fixture) { _ throws(APIError) in throw Interaction(message: "Your name?").error }
        #expect(fixture.run("api", "ask") == 1)
        #expect(fixture.errors.text.hasSuffix("the question \"Your name?\" has no answer: standard input has ended\n"))
    }

    @Test func `a service that asks for ever is stopped`() throws {
        let fixture = try CommandFixture()
        for _ in 0..<200 { fixture.willAnswer("y") }
        try serve(fixture) { _ throws(APIError) in throw Interaction(message: "?").error }
        #expect(fixture.run("api", "ask") == 70)
    }

    @Test func `a command's own error keeps its message`() throws {
        let fixture = try CommandFixture()
        try serve(fixture) { _ throws(APIError) in throw APIError(418, "bad") }
        #expect(fixture.run("api", "fail") == 1)
        #expect(fixture.errors.text == "pm: bad\n")
    }

    @Test func `what cannot be called is explained`() throws {
        let rows: [(JSONValue?, String, Int32)] = [
            (nil, "there is no service api, and no command of pm", 66),
            (UnitStatus(name: "api", wanted: .down, state: .down).json, "api is not running", 73),
            (["name": "api", "pid": 1, "ready": false], "api is not ready yet", 73),
            (["name": "api", "pid": 1, "ready": true, "commandable": true], "api has no command nope", 66),
            (["name": "api", "pid": 1, "ready": true], "api has no command nope", 66),
        ]
        for (row, message, code) in rows {
            let fixture = try CommandFixture()
            try fixture.serve { call throws(APIError) in
                if call.method == "$metadata" {
                    guard row?["commandable"] != nil else { throw .notFound("no commands") }
                    return ["name": "api", "commands": []]
                }
                if call.method == "plugins" { return ["plugins": []] }
                guard call.method == "status" else {
                    var error = APIError(404, "Method not found")
                    error.code = -32601
                    throw error
                }
                guard let row else { throw .notFound("no api") }
                return [row]
            }
            #expect(fixture.run("api", "nope") == code)
            #expect(fixture.errors.text.hasPrefix("pm: \(message)\n"), "\(fixture.errors.text)")
        }
    }
}

@Suite struct CallHintTests {
    private func hint(_ command: String) throws -> String {
        let fixture = try CommandFixture()
        let names = ["greet", "farewell", "$bridge"]
        let commands = names.map { name -> JSONValue in ["name": .string(name), "config": [:]] }
        try fixture.serve { call throws(APIError) in
            switch call.method {
            case "$metadata": return ["name": "api", "commands": .array(commands)]
            case "status": return [["name": "api", "pid": 1, "ready": true, "commandable": true]]
            case "api.greet": throw .notFound("nothing")
            default:
                var error = APIError(404, "Method not found")
                error.code = -32601
                throw error
            }
        }
        #expect(fixture.run("api", command) == 66)
        return fixture.errors.text
    }

    @Test func `an unknown command is met with those there are`() throws {
        #expect(try hint("gret") == "pm: api has no command gret\nhint: it has greet, farewell\n")
    }

    @Test func `a command that is there says itself what it did not find`() throws {
        #expect(try hint("greet") == "pm: nothing\n")
    }
}
