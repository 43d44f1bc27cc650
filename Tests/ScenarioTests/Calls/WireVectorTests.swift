import JSON
import PMTestSupport
import Testing

/// Frames that the reference (@akala/pm) was seen to answer, and what we answer; different only where noted.
@Suite struct `Frames of the reference` {
    /// What is sent, and the bytes that come back.
    static let frames: [(String, [String])] = [
        (
            #"{"jsonrpc":"1.0","id":5,"method":"status"}"#,
            [
                #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"jsonrpc must be exactly \"2.0\""}},"id":5,"jsonrpc":"2.0"}"#
            ]
        ),
        (
            #"{"jsonrpc":"2.0","id":true,"method":"status"}"#,
            [
                #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"id, if provided, must be one of: null, string, number"}},"jsonrpc":"2.0"}"#
            ]
        ),
        (
            #"{"jsonrpc":"2.0","id":6,"method":"svc.echo","params":"x"}"#,
            [
                #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"params, if provided, must be one of: null, object, array"}},"id":6,"jsonrpc":"2.0"}"#
            ]
        ),
        (
            #"{"jsonrpc":"2.0","id":7,"method":"svc.echo","params":{"a":1}}"#,
            [#"{"id":7,"result":{"a":1},"jsonrpc":"2.0"}"#]
        ),
        // The reference loses these three: it answers "error":null.
        (#"{"jsonrpc":"2.0","id":8,"method":"svc.echo","params":[0]}"#, [#"{"id":8,"result":0,"jsonrpc":"2.0"}"#]),
        (#"{"jsonrpc":"2.0","id":9,"method":"svc.echo","params":[""]}"#, [#"{"id":9,"result":"","jsonrpc":"2.0"}"#]),
        (
            #"{"jsonrpc":"2.0","id":10,"method":"svc.echo","params":[false]}"#,
            [#"{"id":10,"result":false,"jsonrpc":"2.0"}"#]
        ),
        (
            #"{"jsonrpc":"2.0","id":11,"method":"svc.echo","params":[[1,null,{"_a":1,"b":2}]]}"#,
            [#"{"id":11,"result":[1,null,{"_a":1,"b":2}],"jsonrpc":"2.0"}"#]
        ),
        (
            #"{"jsonrpc":"2.0","id":12,"method":"svc.echo","params":[{"_a":1,"b":2}]}"#,
            [#"{"id":12,"result":{"b":2},"jsonrpc":"2.0"}"#]
        ),
        (
            #"{"jsonrpc":"2.0","id":13,"result":1}"#,
            [
                #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"no response handler for id 13"}},"id":13,"jsonrpc":"2.0"}"#
            ]
        ),
        (
            #"{"jsonrpc":"2.0","id":14}"#,
            [
                #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"replies must have either a result or error"}},"id":14,"jsonrpc":"2.0"}"#
            ]
        ),
        (
            #"{"jsonrpc":"2.0","id":4,"method":"nope"}"#,
            [
                #"{"error":{"code":-32601,"message":"Method not found","data":{"info":"no handler found for method nope"}},"id":4,"jsonrpc":"2.0"}"#
            ]
        ),
        (
            #"{"jsonrpc":"2.0","id":2,"method":"svc.add","params":{"params":[1,2]}}"#,
            [#"{"id":2,"result":3,"jsonrpc":"2.0"}"#]
        ),
        (#"{"jsonrpc":"2.0","id":5,"method":"svc.nothing"}"#, [#"{"id":5,"error":null,"jsonrpc":"2.0"}"#]),
        (
            #"{"jsonrpc":"2.0","id":"x\u0041","method":"svc.echo","params":["a"]}"#,
            [#"{"id":"x\u0041","result":"a","jsonrpc":"2.0"}"#]
        ),
        // The reference answers {} and sends nothing of the stream.
        (
            #"{"jsonrpc":"2.0","id":1,"method":"svc.stream","params":[2]}"#,
            [
                #"{"id":1,"stream":true,"result":{},"jsonrpc":"2.0"}"#,
                #"{"id":1,"result":{"event":"data","isBuffer":false,"data":"s0"},"jsonrpc":"2.0"}"#,
                #"{"id":1,"result":{"event":"data","isBuffer":false,"data":"s1"},"jsonrpc":"2.0"}"#,
                #"{"id":1,"stream":true,"result":{"event":"end"},"jsonrpc":"2.0"}"#,
            ]
        ),
    ]

    @Test func `are answered as the reference answers them`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let client = try project.client()
            for (frame, answers) in Self.frames {
                try client.send(frame)
                for answer in answers { #expect(client.line() == answer, "\(frame)") }
            }
            try client.send(#"{"jsonrpc":"2.0","id":3,"method":"svc.fail","params":["bad"]}"#)
            let error = try #require(client.json()?["error"])
            #expect(error["message"]?.string == "bad")
            #expect(error["statusCode"]?.int == 418 && error["code"]?.string == "TEAPOT")
            #expect(error["stack"]?.string?.hasPrefix("Error: bad\n    at ") == true)
        }
    }

    @Test func `of the daemon's own commands have the members that clients read`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let client = try project.client()
            try client.send(#"[{"jsonrpc":"2.0","id":3,"method":"status"},{"jsonrpc":"2.0","id":4,"method":"ls"}]"#)
            let answers = [try #require(client.json()), try #require(client.json())]
            let status = try #require(answers.first { $0["id"]?.int == 3 }?["result"])
            #expect(status[0]?["name"]?.string == "pm" && status[0]?["type"]?.string == "self")
            #expect(status[1]?["name"]?.string == "svc" && status[1]?["type"]?.string == "nodejs")
            #expect(status[0]?["running"]?.bool == true && status[1]?["running"]?.bool == true)
            #expect(status[1]?["folder"]?.string?.hasSuffix("svc/commands.json") == true)
            let list = try #require(answers.first { $0["id"]?.int == 4 }?["result"])
            #expect(list["svc"]?["type"]?.string == "nodejs" && list["svc"]?["commandable"]?.bool == true)
            #expect(list["svc"]?["path"]?.string?.hasSuffix("svc/commands.json") == true)
        }
    }

    @Test func `cut anywhere are put together again`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let client = try project.client()
            let text = #"{"jsonrpc":"2.0","id":1,"method":"svc.echo","params":["é€😀"]}"#
            // Each byte in a write of its own: another connection's answer proves that it was read alone.
            let other = try project.client()
            for byte in Array("\(text)\n".utf8) {
                try client.send([byte])
                if byte > 0x7F { #expect(try other.call("name") != nil) }
            }
            #expect(client.line() == #"{"id":1,"result":"é€😀","jsonrpc":"2.0"}"#)
            try client.send(Array("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"nam".utf8))
            try client.send(
                Array("e\"}\n{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"svc.echo\",\"params\":[\"a\"]}\r".utf8))
            #expect(client.json()?["id"]?.int == 2)
            try client.send(Array("\n".utf8))
            #expect(client.line() == #"{"id":3,"result":"a","jsonrpc":"2.0"}"#)
        }
    }

    @Test func `without an id are done and not answered`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","method":"svc.note","params":["one"]}"#)
            try client.send(#"{"jsonrpc":"2.0","id":null,"method":"svc.note","params":["two"]}"#)
            try client.send(#"{"jsonrpc":"2.0","method":"nope"}"#)
            try client.send(
                #"[{"jsonrpc":"2.0","method":"svc.note","params":["three"]},{"jsonrpc":"2.0","method":"status"}]"#)
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"svc.notes"}"#)
            #expect(client.line() == #"{"id":1,"result":["one","two","three"],"jsonrpc":"2.0"}"#)
        }
    }
}
