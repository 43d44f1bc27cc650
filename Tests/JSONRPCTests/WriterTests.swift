import JSON
import JSONRPC
import Testing

@Suite struct WriterTests {
    @Test func `messages of our own have the reference's key order`() {
        #expect(
            written { MessageWriter.request(id: 7, method: "a\"b", params: [1, "x"], to: &$0) }
                == #"{"id":7,"method":"a\"b","params":[1,"x"],"jsonrpc":"2.0"}"# + "\n")
        #expect(
            written { MessageWriter.request(id: 18_446_744_073_709_551_615, method: "m", to: &$0) }
                == #"{"id":18446744073709551615,"method":"m","jsonrpc":"2.0"}"# + "\n")
        #expect(
            written { MessageWriter.request(id: 0, method: "m", to: &$0) } == #"{"id":0,"method":"m","jsonrpc":"2.0"}"#
                + "\n")
        #expect(
            written { MessageWriter.notification(method: "m", params: ["a": nil], to: &$0) }
                == #"{"method":"m","params":{"a":null},"jsonrpc":"2.0"}"# + "\n")
        #expect(
            written { MessageWriter.reply(id: RPCID("x"), result: ["a": 0], to: &$0) }
                == #"{"id":"x","result":{"a":0},"jsonrpc":"2.0"}"# + "\n")
        #expect(
            written { MessageWriter.void(id: RPCID(3), to: &$0) } == #"{"id":3,"error":null,"jsonrpc":"2.0"}"# + "\n")
    }

    @Test func `an error of a handler stands after the id`() {
        #expect(
            written { MessageWriter.failure(id: RPCID(3), .notFound("no such service: x"), to: &$0) }
                == #"{"id":3,"error":{"code":-32000,"message":"no such service: x","statusCode":404},"jsonrpc":"2.0"}"#
                + "\n")
    }

    @Test func `a request is relayed with its bytes and another id and name`() {
        let line = #"{"jsonrpc":"2.0","id":"47d2","method":"svc.e\u0063ho","params": [1.50, {"a" : "\u00e9"}, null ]}"#
        #expect(
            relayedRequest(line, id: 9)
                == #"{"id":9,"method":"e\u0063ho","params":[1.50, {"a" : "\u00e9"}, null ],"jsonrpc":"2.0"}"# + "\n")
        #expect(
            relayedRequest(#"{"jsonrpc":"2.0","id":1,"method":"svc.echo"}"#, id: 9)
                == #"{"id":9,"method":"echo","jsonrpc":"2.0"}"# + "\n")
        #expect(
            relayedRequest(#"{"jsonrpc":"2.0","method":"svc.echo","params":{"params":[1],"auth":2}}"#, id: nil)
                == #"{"method":"echo","params":{"params":[1],"auth":2},"jsonrpc":"2.0"}"# + "\n")
        #expect(
            relayedRequest(#"{"jsonrpc":"2.0","id":1,"method":"svc.up","stream":true,"params":{}}"#, id: 2)
                == #"{"id":2,"method":"up","stream":true,"params":{},"jsonrpc":"2.0"}"# + "\n")
    }

    private func relayedRequest(_ line: String, id: UInt64?) -> String {
        Array(line.utf8).withUnsafeBytes { bytes in
            guard case .request(let request)? = try? Message.scan(bytes), let parts = request.method.split(at: ".")
            else { return "" }
            return written { MessageWriter.relay(request, id: id, method: parts.tail, to: &$0) }
        }
    }

    static let replies: [(reply: String, relayed: String)] = [
        (#""result": {"a" : 1.50}"#, #""result":{"a" : 1.50}"#),
        (#""result":false"#, #""result":false"#),
        (#""error":null"#, #""error":null"#),
        (
            #""error":{"message":"bad","name":"Error","statusCode":418,"code":"TEAPOT","stack":"Error: bad\n    at x","own":[1]}"#,
            #""error":{"message":"bad","name":"Error","statusCode":418,"code":"TEAPOT","stack":"Error: bad\n    at x","own":[1]}"#
        ),
        (#""stream":true,"result":{}"#, #""stream":true,"result":{}"#),
        (#""result":{"event":"end"},"stream":true"#, #""stream":true,"result":{"event":"end"}"#),
    ]

    @Test(arguments: replies) func `a call through the table comes back to its caller's id byte for byte`(
        _ pair: (reply: String, relayed: String)
    ) throws {
        for callerID in [
            #""47d2f5a0-0155-4d94-81b3-40bc16bdf356""#, "1", "1.50", #""\u0041""#,
            #""a very long id that does not fit the inline words of an id""#,
        ] {
            var calls = PendingCalls<RPCID>()
            for number in 0..<20 { _ = calls.add(RPCID(number)) }
            let id = calls.add(Array(callerID.utf8).withUnsafeBytes { RPCID(raw: $0) })
            let answer = Array(#"{"jsonrpc":"2.0","id":\#(id),\#(pair.reply)}"#.utf8).withUnsafeBytes {
                bytes -> String in
                guard case .reply(let reply)? = try? Message.scan(bytes),
                    let caller = reply.internalID.flatMap({ calls.remove($0) })
                else { return "" }
                return written { MessageWriter.relay(reply, id: caller, to: &$0) }
            }
            #expect(answer == #"{"id":\#(callerID),\#(pair.relayed),"jsonrpc":"2.0"}"# + "\n")
        }
    }

    @Test func `raw results are copied as they are`() {
        let raw = Array("[1.50, 2 ]".utf8)
        #expect(
            raw.withUnsafeBytes { raw in written { MessageWriter.reply(id: RPCID(1), result: raw, to: &$0) } }
                == #"{"id":1,"result":[1.50, 2 ],"jsonrpc":"2.0"}"# + "\n")
    }
}

@Suite struct StreamTests {
    @Test func `frames are those the reference's library writes`() {
        let id = RPCID("42")
        let stream = written {
            MessageWriter.streamStart(id: id, to: &$0)
            MessageWriter.streamFrame(id: id, .bytes([120, 49]), to: &$0)
            MessageWriter.streamFrame(id: id, .data("text"), to: &$0)
            MessageWriter.streamFrame(id: id, .end, to: &$0)
        }
        #expect(
            stream == """
                {"id":"42","stream":true,"result":{},"jsonrpc":"2.0"}
                {"id":"42","result":{"event":"data","isBuffer":true,"data":{"type":"Buffer","data":[120,49]}},"jsonrpc":"2.0"}
                {"id":"42","result":{"event":"data","isBuffer":false,"data":"text"},"jsonrpc":"2.0"}
                {"id":"42","result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}

                """)
    }

    @Test(arguments: [0, 1, 2, 16 << 10, (16 << 10) + 1, 100_000])
    func `bytes are written as Node writes a Buffer, in pieces that nobody sees`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var text: [UInt8] = []
        bytes.withUnsafeBytes { BufferText.append($0, to: &text) }
        let expected = #"{"type":"Buffer","data":[\#(bytes.map { "\($0)" }.joined(separator: ","))]}"#
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test(
        arguments: [.bytes([]), .bytes([0, 255, 10]), .data("é\n"), .data(["line": 1]), .data(nil), .end]
            as [StreamFrame])
    func `a frame that is written reads back`(_ frame: StreamFrame) throws {
        let line = written { MessageWriter.streamFrame(id: RPCID(1), frame, to: &$0) }
        try Array(line.utf8).withUnsafeBytes { bytes in
            guard case .reply(let reply) = try Message.scan(bytes), case .result(let raw) = reply.outcome else {
                Issue.record("no result")
                return
            }
            #expect(StreamFrame(result: raw) == frame)
        }
    }

    @Test(arguments: ["{}", "1", "null", #"{"event":"other"}"#, #"{"event":"data"}"#, #"{"event":1}"#, "nope"])
    func `other results are no frames`(_ result: String) {
        #expect(Array(result.utf8).withUnsafeBytes { StreamFrame(result: $0) } == nil)
    }
}
