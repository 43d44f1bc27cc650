import JSON
import JSONRPC
import Testing

/// Requests and answers as they crossed the wire of the reference (@akala/pm); where ours differs on purpose it says so.
@Suite struct ExchangeTests {
    static let recorded: [(request: String, answer: String)] = [
        (
            #"{"jsonrpc":"1.0","id":5,"method":"status"}"#,
            #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"jsonrpc must be exactly \"2.0\""}},"id":5,"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":true,"method":"status"}"#,
            #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"id, if provided, must be one of: null, string, number"}},"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":6,"method":"svc.echo","params":"x"}"#,
            #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"params, if provided, must be one of: null, object, array"}},"id":6,"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":13,"result":1}"#,
            #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"no response handler for id 13"}},"id":13,"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":14}"#,
            #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"replies must have either a result or error"}},"id":14,"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":4,"method":"nope"}"#,
            #"{"error":{"code":-32601,"message":"Method not found","data":{"info":"no handler found for method nope"}},"id":4,"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":7,"method":"svc.echo","params":{"a":1}}"#,
            #"{"id":7,"result":{"a":1},"jsonrpc":"2.0"}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":11,"method":"svc.echo","params":[[1,null,{"_a":1,"b":2}]]}"#,
            #"{"id":11,"result":[1,null,{"_a":1,"b":2}],"jsonrpc":"2.0"}"#
        ),
        (#"{"jsonrpc":"2.0","id":5,"method":"svc.nothing"}"#, #"{"id":5,"error":null,"jsonrpc":"2.0"}"#),
        // The reference answers these three `"error":null`; a falsy result is a result.
        (#"{"jsonrpc":"2.0","id":8,"method":"svc.echo","params":[0]}"#, #"{"id":8,"result":0,"jsonrpc":"2.0"}"#),
        (#"{"jsonrpc":"2.0","id":9,"method":"svc.echo","params":[""]}"#, #"{"id":9,"result":"","jsonrpc":"2.0"}"#),
        (
            #"{"jsonrpc":"2.0","id":10,"method":"svc.echo","params":[false]}"#,
            #"{"id":10,"result":false,"jsonrpc":"2.0"}"#
        ),
        // null is void in both.
        (#"{"jsonrpc":"2.0","id":10,"method":"svc.echo","params":[null]}"#, #"{"id":10,"error":null,"jsonrpc":"2.0"}"#),
    ]

    @Test(arguments: recorded) func `answers are byte for byte those recorded`(
        _ exchange: (request: String, answer: String)
    ) {
        #expect(EchoSession.answer(exchange.request) == exchange.answer + "\n")
        #expect(EchoSession.answer("  " + exchange.request + " \r") == exchange.answer + "\n")
    }

    @Test func `a batch is answered one line an element`() {
        let batch = "[" + Self.recorded.map(\.request).joined(separator: " ,\n") + "]"
        #expect(EchoSession.answer(batch) == Self.recorded.map { $0.answer + "\n" }.joined())
    }

    @Test func `notifications are not answered`() {
        #expect(EchoSession.answer(#"{"jsonrpc":"2.0","method":"svc.echo","params":[1]}"#) == "")
        #expect(EchoSession.answer(#"{"jsonrpc":"2.0","id":null,"method":"nope"}"#) == "")
        #expect(EchoSession.answer(#"[{"jsonrpc":"2.0","method":"svc.echo"}]"#) == "")
    }

    @Test(arguments: [
        "", " ", "{", "}", "nope", "[{]", #"{"jsonrpc":"2.0","id":1,"method":"a","params":[1,}"#, "{} {}", "\u{feff}{}",
    ])
    func `what is not JSON is answered -32700 with an id that is nobody's`(_ line: String) throws {
        let answer = EchoSession.answer(line)
        #expect(answer.hasPrefix(#"{"error":{"code":-32700,"message":"Parse error","data":{"info":"line 1, column "#))
        #expect(answer.hasSuffix(#""}},"id":-1,"jsonrpc":"2.0"}"# + "\n"))
        #expect(answer.filter { $0 == "\n" }.count == 1)
    }

    @Test func `invalid UTF-8 anywhere is answered -32700`() {
        var session = EchoSession()
        let line =
            Array(#"{"jsonrpc":"2.0","id":1,"method":"svc.echo","params":[""#.utf8) + [0xC3, 0x28] + Array(#""]}"#.utf8)
        line.withUnsafeBytes { session.handle($0) }
        #expect(text(session.output).hasPrefix(#"{"error":{"code":-32700,"#))
        #expect(text(session.output).contains("invalid UTF-8"))
    }

    @Test(arguments: [
        "1", "null", "true", #""x""#, "{}", #"{"jsonrpc":2.0,"method":"a"}"#, #"{"jsonrpc":"2","method":"a"}"#,
        #"{"method":"a"}"#,
    ])
    func `JSON that is not JSON-RPC 2 is told so`(_ line: String) {
        #expect(
            EchoSession.answer(line)
                == #"{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"jsonrpc must be exactly \"2.0\""}},"jsonrpc":"2.0"}"#
                + "\n")
    }

    @Test func `elements of a batch that are no messages are answered each`() {
        let answers = EchoSession.answer(
            #"[1,[],[{"jsonrpc":"2.0","id":1,"method":"svc.echo"}],{"jsonrpc":"2.0","id":2,"method":"svc.nothing"}]"#
        )
        .split(separator: "\n")
        #expect(answers.count == 4)
        #expect(answers.dropLast().allSatisfy { $0.contains("jsonrpc must be exactly") })
        #expect(answers.last == #"{"id":2,"error":null,"jsonrpc":"2.0"}"#)
    }

    @Test func `an empty batch is an invalid request`() {
        #expect(EchoSession.answer("[ ]").contains("a batch must not be empty"))
    }

    @Test func `a broken batch is answered once`() {
        #expect(
            EchoSession.answer(#"[{"jsonrpc":"2.0","id":1,"method":"svc.nothing"},"#).filter { $0 == "\n" }.count == 1)
    }

    @Test(arguments: [
        "5", #""a""#, #""é\n""#, "-1", "1.50", "1e3", #""47d2f5a0-0155-4d94-81b3-40bc16bdf356""#,
        "12345678901234567890123456789012345678901234567890",
    ])
    func `an id comes back byte for byte`(_ id: String) {
        #expect(
            EchoSession.answer(#"{"jsonrpc":"2.0","id":\#(id),"method":"svc.nothing"}"#)
                == #"{"id":\#(id),"error":null,"jsonrpc":"2.0"}"# + "\n")
        #expect(
            EchoSession.answer(#"{"jsonrpc":"2.0","id":\#(id),"method":5}"#).hasSuffix(
                #""id":\#(id),"jsonrpc":"2.0"}"# + "\n"))
    }

    @Test(arguments: ["true", "{}", "[]", "[1]"]) func `ids of other types are refused, and not repeated`(_ id: String)
    {
        let answer = EchoSession.answer(#"{"jsonrpc":"2.0","id":\#(id),"result":1}"#)
        #expect(answer.contains("id, if provided, must be one of: null, string, number"))
        #expect(!answer.contains(#""id":"#))
        #expect(!EchoSession.answer(#"{"jsonrpc":"1.0","id":\#(id)}"#).contains(#""id":"#))
    }
}
