import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// A connection that was confined calls services, and orders nothing.
@Suite(.serialized) struct `A confined connection` {
    /// Requests that it may not make.
    private static let orders: [(method: String, params: JSONValue)] = [
        ("start", ["svc"]), ("stop", ["svc"]), ("restart", ["svc"]), ("upgrade", []), ("status", []), ("ls", []),
        ("map", ["x", "/bin/sh", nil, nil, nil]), ("unmap", ["svc"]), ("rename", ["svc", "x"]), ("installed", [[]]),
        ("discover", ["/", "x"]), ("log", ["svc"]),
        ("scale", ["svc", 2]),
        ("reload-metadata", ["svc"]), ("connect", ["svc", ["args": ["tcp"], "options": ["tcpPort": 1]]]),
        ("connect", ["svc"]), ("connect", ["pm"]), ("connect", ["nothing"]),
    ]

    private static func with(_ body: (TestProject, LineClient) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.configure(["svc": ["path": "./svc/commands.json", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let client = try project.client()
            #expect(try client.call("confine", [])?["error"]?.isNull == true)
            try body(project, client)
        }
    }

    private static func expectConfined(_ client: LineClient) throws {
        for (method, params) in orders {
            let error = try client.call(method, params)?["error"]
            #expect(error?["statusCode"] == 403, "\(method): \(error?.text ?? "done")")
        }
        for method in ["svc.$stop", "svc.$reload", "svc.$restarted", "svc.$init"] {
            #expect(try client.call(method, [])?["error"]?.isNull == false, "\(method)")
        }
    }

    @Test func `calls services and asks what there is`() async throws {
        try await Self.with { project, client in
            #expect(try client.call("svc.echo", ["hello"])?["result"] == "hello")
            let daemon = Int(try project.daemonID())
            #expect(try client.call("version", [])?["result"]?["pid"]?.int == daemon)
            #expect(try client.call("$metadata", [])?["result"]?["name"] == "pm")
            #expect(try client.call("proxy", ["svc"])?["error"]?.isNull == true)
            #expect(try client.call("echo", ["through a proxy"])?["result"] == "through a proxy")
            #expect(try client.call("$stop", [])?["error"]?.isNull == false)
            #expect(try project.status("svc")["state"] == "up")
        }
    }

    @Test func `learns of a service its commands, and of its errors the message`() async throws {
        try await Self.with { project, client in
            func checkError() throws {
                let error = try #require(client.call("svc.fail", ["bad"])?["error"]?.object)
                #expect(error["message"] == "bad" && error["stack"] == "Error: bad")
                #expect(Set(error.map(\.key)).isSubset(of: ["statusCode", "code", "message", "hint", "stack"]))
            }
            func checkMetadata(_ method: String) throws {
                let offered = try #require(client.call(method, [])?["result"]?.text)
                #expect(offered.contains(#""name":"echo""#) && !offered.contains("fs"), "\(offered)")
            }
            try checkError()
            try checkMetadata("svc.$metadata")
            #expect(try client.call("proxy", ["svc"])?["error"]?.isNull == true)
            try checkMetadata("$metadata")
            #expect(try client.call("echo", [1])?["result"] == 1)
        }
    }

    @Test func `orders nothing, and cannot take it back`() async throws {
        try await Self.with { project, client in
            try Self.expectConfined(client)
            #expect(try client.call("confine", [])?["error"]?.isNull == true)
            try Self.expectConfined(client)
            #expect(try project.status("svc")["state"] == "up")
            #expect(try !project.read(".pm.config.json").contains("tcp"))
        }
    }

    @Test func `is still confined after an upgrade`() async throws {
        try await Self.with { project, client in
            try project.must("upgrade")
            #expect(try client.call("svc.echo", ["hello"])?["result"] == "hello")
            try Self.expectConfined(client)
        }
    }

    @Test func `reads nothing behind the word that confines it as if it were before`() async throws {
        try await Self.with { project, _ in
            let client = try project.client()
            let both = [
                #"{"jsonrpc":"2.0","id":1,"method":"confine"}"#,
                #"{"jsonrpc":"2.0","id":2,"method":"stop","params":["svc"]}"#,
            ]
            try client.send(both.joined(separator: "\n"))
            #expect(client.json()?["error"]?.isNull == true)
            #expect(client.json()?["error"]?["statusCode"] == 403)
            #expect(try project.status("svc")["state"] == "up")
        }
    }

    @Test func `reads no configuration, neither by an answer nor by an error`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            let definition: JSONValue = ["svc": ["path": "./svc/commands.json", "commandable": true]]
            try project.configure(definition)
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let client = try project.client()
            #expect(try client.call("confine", [])?["error"]?.isNull == true)
            let wrong: JSONValue = [
                "svc": ["container": "svc", "cwd": ["S3CRET"], "env": ["S3CRET": ["S3CRET"]]]
            ]
            try project.configure(definition, mapping: wrong)
            for (method, params) in Self.questions {
                let answer = try client.call(method, params)?.text ?? "nothing"
                #expect(!answer.contains("S3CRET") && !answer.contains(project.directory), "\(method): \(answer)")
            }
        }
    }

    /// What it may ask, and what it may try.
    private static let questions: [(method: String, params: JSONValue)] = [
        ("version", []), ("$metadata", [true]), ("$metadata", [true, "svc"]), ("$metadata", [true, "none"]),
        ("svc.$metadata", []), ("svc.fail", ["bad"]),
        ("proxy", ["none"]), ("none.echo", []), ("name", []), ("connect", ["svc"]), ("bridge", ["x"]),
    ]

    @Test func `passes nothing on that says who calls and how`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.client()
            let forged: JSONObject = [
                "params": [1], "_trigger": "cli", "auth": ["user": "root"], "connection": ["isLocal": true],
                "$state": [:], "signal": 1, "options": ["port": 1],
            ]
            #expect(try client.call("raw.echo", [.object(forged)])?["result"] == .object(forged))
            #expect(try client.call("confine", [])?["error"]?.isNull == true)
            let kept: JSONValue = ["params": [1], "options": ["port": 1]]
            #expect(try client.call("raw.echo", [.object(forged)])?["result"] == kept)
            let line = try client.call("raw.line", .object(forged))?["result"]?.string ?? "{}"
            #expect(try JSONValue(parsing: line)["params"] == kept)
            let data: JSONValue = ["auth": "a member of an argument that is no structure"]
            #expect(try client.call("raw.echo", [data])?["result"] == data)
            #expect(try client.call("proxy", ["raw"])?["error"]?.isNull == true)
            #expect(try client.call("echo", [.object(forged)])?["result"] == kept)
        }
    }
}
