import Glibc
import JSON
import PMTestSupport
import Testing

/// State of a connection that is the same before and after `pm upgrade`: one client for each kept part.
@Suite(.serialized) struct `Over an upgrade a connection keeps` {
    private static func call(_ id: Int, _ method: String, _ params: String = "[]", _ more: String = "") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),\#(more)"method":"\#(method)","params":\#(params)}"#
    }

    /// Brings a client into a state, upgrades the daemon, and checks that the state is kept.
    private static func over(
        _ before: (TestProject, LineClient) throws -> Void, _ after: (TestProject, LineClient) throws -> Void
    ) async throws {
        try await ContractService.with { project in
            let client = try project.client()
            try before(project, client)
            try project.must("upgrade")
            try after(project, client)
        }
    }

    @Test func `half a line, and a stream that has begun, which it can cancel`() async throws {
        try await Self.over { _, client in
            try client.send(Self.call(1, "svc.begin"))
            #expect(client.json()?["stream"] == true)
            try client.send(Array(#"{"jsonrpc":"2.0","id":2,"#.utf8))
        } _: { _, client in
            try client.send(#""method":"svc.echo","params":[2]}"#)
            #expect(client.json()?["result"] == 2)
            try client.send(#"{"jsonrpc":"2.0","method":"$/cancel","params":[1]}"#)
            #expect(client.json()?["error"]?["statusCode"] == 499)
            // The service gets the cancellation before it gets the request for its metadata.
            try client.send(Self.call(3, "svc.counts"))
            #expect(client.json()?["result"]?[1] == 1)
        }
    }

    @Test func `its rights`() async throws {
        try await Self.over { _, client in
            try #expect(client.call("confine")?["error"]?.isNull == true)
        } _: { _, client in
            try #expect(client.call("stop")?["error"]?["statusCode"] == 403)
            try #expect(client.call("svc.echo", [3])?["result"] == 3)
        }
    }

    @Test func `that it sends no more: it ends with its last answer`() async throws {
        try await Self.over { _, client in
            try client.send(Self.call(1, "svc.never"))
            client.finish()
        } _: { project, client in
            try #expect(project.client().call("svc.release")?["result"] == "late")
            #expect(client.json()?["result"] == "late" && client.json() == nil)
        }
    }

    @Test func `the service that all of it is for`() async throws {
        try await Self.over { _, client in
            try #expect(client.call("proxy", ["svc"])?["error"]?.isNull == true)
        } _: { project, client in
            try #expect(client.call("echo", [4])?["result"] == 4)
            try project.must("stop", "svc")
            #expect(client.json() == nil)
        }
    }

    @Test func `that the rest of a line is thrown away, whose beginning was too long`() async throws {
        try await Self.over { _, client in
            let start = #"{"jsonrpc":"2.0","id":"long","method":"svc.echo","params":[""#
            try client.send(Array(start.utf8) + [UInt8](repeating: 120, count: 65 << 20))
            let refusal = client.json()
            #expect(refusal?["id"] == "long" && refusal?["error"]?["code"] == -32600)
        } _: { _, client in
            try client.send(#""],"x":1}"#)
            try client.send(Self.call(2, "svc.echo", "[5]"))
            #expect(client.json()?["result"] == 5)
        }
    }

    @Test func `that its first line has come: what looks like HTTP later is no message, and the next one counts`()
        async throws
    {
        try await Self.over { _, client in
            try #expect(client.call("svc.echo", [1])?["result"] == 1)
        } _: { _, client in
            try client.send("GET / HTTP/1.1")
            #expect(client.json()?["error"]?["code"] == -32700)
            try #expect(client.call("svc.echo", [6])?["result"] == 6)
        }
    }

    @Test func `the stream that it sends, and that of an answered call`() async throws {
        let frame = #"{"jsonrpc":"2.0","id":1,"result":{"event":"data","isBuffer":false,"data":1}}"#
        try await Self.over { _, client in
            try client.send(Self.call(1, "svc.never", "[{\"stream\":true}]", "\"stream\":true,"))
            try client.send(Self.call(9, "svc.echo", "[7]", "\"stream\":true,"))
            try client.send(frame)
            #expect(client.json()?["result"] == 7)
        } _: { project, client in
            try client.send(frame)
            // Nobody reads the stream, and its sender gets no error for it.
            try client.send(frame.replacing("\"id\":1", with: "\"id\":9"))
            try client.send(Self.call(2, "svc.counts"))
            #expect(client.json()?["result"]?[2] == 2)
            try #expect(project.client().call("svc.release")?["result"] == "late")
            #expect(client.json()?["result"] == "late")
        }
    }

    @Test func `that commands are watched, and that cancelled calls are answered by the service for nobody`()
        async throws
    {
        try await Self.over { _, client in
            try client.send(Self.call(1, "$metadata", "[true,null,true]"))
            #expect(client.json()?["id"] == 1)
            try client.send(Self.call(2, "svc.never"))
            try client.send(#"{"jsonrpc":"2.0","method":"$/cancel","params":[2]}"#)
            #expect(client.json()?["error"]?["statusCode"] == 499)
        } _: { project, client in
            try #expect(project.client().call("svc.release")?["result"] == "late")
            try project.must("restart", "svc", "--wait")
            #expect(client.json()?["method"] == "$/metadata")
        }
    }
}
