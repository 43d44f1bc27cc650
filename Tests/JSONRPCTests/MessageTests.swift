import JSON
import JSONRPC
import Testing

private func withRequest(_ line: String, _ body: (RPCRequest) throws -> Void) throws {
    try Array(line.utf8).withUnsafeBytes { bytes in
        guard case .request(let request) = try Message.scan(bytes) else {
            Issue.record("no request: \(line)")
            return
        }
        try body(request)
    }
}

private func withReply(_ line: String, _ body: (RPCReply) throws -> Void) throws {
    try Array(line.utf8).withUnsafeBytes { bytes in
        guard case .reply(let reply) = try Message.scan(bytes) else {
            Issue.record("no reply: \(line)")
            return
        }
        try body(reply)
    }
}

private func rejection(_ line: String) -> MalformedMessage? {
    Array(line.utf8).withUnsafeBytes { rejection($0) }
}

private func rejection(_ line: UnsafeRawBufferPointer) -> MalformedMessage? {
    do {
        _ = try Message.scan(line)
        return nil
    } catch {
        return error
    }
}

@Suite struct IncomingTests {
    @Test func `a request's parts are its own bytes`() throws {
        let line =
            #" { "id" : "x y" , "params" : { "params" : [ 1.50 ], "_trigger":"cli" } , "method":"svc.echo", "jsonrpc":"2.0", "auth":{} } "#
        try withRequest(line) { request in
            #expect(text(request.id ?? .init(start: nil, count: 0)) == #""x y""#)
            #expect(
                text(request.params ?? .init(start: nil, count: 0)) == #"{ "params" : [ 1.50 ], "_trigger":"cli" }"#)
            #expect(request.method.string == "svc.echo")
            #expect(!request.isNotification)
            #expect(!request.isStream)
        }
    }

    @Test func `params may be absent or null`() throws {
        try withRequest(#"{"jsonrpc":"2.0","id":1,"method":"a"}"#) { #expect($0.params == nil) }
        try withRequest(#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#) {
            #expect($0.params.map(text) == "null")
        }
    }

    @Test(arguments: ["1", "true", "false", #""x""#, "-1"]) func `other params are refused`(_ params: String) {
        let rejected = rejection(#"{"jsonrpc":"2.0","id":"i","method":"a","params":\#(params)}"#)
        #expect(rejected?.id == RPCID("i"))
        #expect(rejected?.kind == .request)
    }

    @Test(arguments: ["1", "null", "[]", "{}", "true"]) func `a method that is no string is refused`(_ method: String) {
        let rejected = rejection(#"{"jsonrpc":"2.0","id":1,"method":\#(method)}"#)
        #expect(rejected?.error == .invalidRequest("method must be a string"))
    }

    @Test func `an id has at most a kilobyte`() throws {
        func line(_ size: Int) -> String {
            #"{"jsonrpc":"2.0","id":"\#(String(repeating: "i", count: size - 2))","method":"a"}"#
        }
        try withRequest(line(1024)) { #expect($0.ownedID?.withBytes(\.count) == 1024) }
        let rejected = rejection(line(1025))
        #expect(rejected?.id == nil && rejected?.kind == .request)
        #expect(rejected?.error == .invalidRequest("id must be of at most 1024 bytes"))
    }

    @Test func `of two members with one name the later counts`() throws {
        try withRequest(#"{"jsonrpc":"1.0","method":"a","id":1,"method":"b","id":2,"jsonrpc":"2.0"}"#) {
            #expect($0.method == "b")
            #expect($0.ownedID == RPCID(2))
        }
    }

    @Test func `names and the version may be written with escapes`() throws {
        try withRequest(#"{"jsonrp\u0063":"2\u002e0","\u0069d":3,"meth\u006fd":"svc.\u0065cho","p\u0061rams":[]}"#) {
            request in
            #expect(request.method == "svc.echo")
            #expect(request.method.hasEscapes)
            #expect(request.method.split(at: ".")?.tail.string == "echo")
            #expect(request.ownedID == RPCID(3))
            #expect(request.params != nil)
        }
    }

    @Test func `methods are compared and split as bytes`() throws {
        try withRequest(#"{"jsonrpc":"2.0","id":1,"method":"my-app.do.it"}"#) { request in
            let parts = try #require(request.method.split(at: "."))
            #expect(parts.head == "my-app")
            #expect(parts.tail == "do.it")
            #expect(parts.tail.split(at: ".")?.tail.string == "it")
            #expect(request.method.split(at: ":") == nil)
            #expect(!(request.method == "my-app.do.i"))
            #expect(!(request.method == "my-app.do.ix"))
            let isKnown =
                switch request.method {
                case "status": false
                case "my-app.do.it": true
                default: false
                }
            #expect(isKnown)
        }
    }

    @Test func `stream is told for requests and replies`() throws {
        try withRequest(#"{"id":"e","method":"upload","stream":true,"params":{"_events":{}},"jsonrpc":"2.0"}"#) {
            #expect($0.isStream)
        }
        try withReply(#"{"id":"42","stream":true,"result":{},"jsonrpc":"2.0"}"#) { #expect($0.isStream) }
        try withReply(#"{"id":"42","stream":false,"result":{},"jsonrpc":"2.0"}"#) { #expect(!$0.isStream) }
    }

    static let outcomes: [(members: String, outcome: String)] = [
        (#""result":3"#, "result 3"), (#""result":0"#, "result 0"), (#""result":false"#, "result false"),
        (#""result":"""#, #"result """#), (#""result":null"#, "result null"), (#""error":null"#, "void"),
        (#""error":false"#, "void"), (#""error":0"#, "void"), (#""error":"""#, "void"),
        (#""error":{"message":"bad"}"#, #"error {"message":"bad"}"#), (#""error":"bad""#, #"error "bad""#),
        (#""result":3,"error":null"#, "result 3"), (#""error":{},"result":null"#, "error {}"),
        (#""result":null,"error":null"#, "result null"),
    ]

    @Test(arguments: outcomes) func `a reply is a result, nothing, or an error`(
        _ expected: (members: String, outcome: String)
    ) throws {
        try withReply(#"{"jsonrpc":"2.0","id":7,\#(expected.members)}"#) { reply in
            #expect(reply.internalID == 7)
            let outcome =
                switch reply.outcome {
                case .result(let raw): "result \(text(raw))"
                case .void: "void"
                case .error(let raw): "error \(text(raw))"
                }
            #expect(outcome == expected.outcome)
        }
    }

    @Test(arguments: [#""result":1,"error":{}"#, #""result":1,"error":"x""#, #""other":1"#])
    func `a reply with both or neither is refused but its id is told`(_ members: String) {
        let rejected = rejection(#"{"jsonrpc":"2.0","id":7,\#(members)}"#)
        #expect(rejected?.error == .invalidRequest("replies must have either a result or error"))
        #expect(rejected?.id == RPCID(7))
        #expect(rejected?.kind == .reply)
    }

    @Test func `a reply without id is refused`() {
        #expect(rejection(#"{"jsonrpc":"2.0","result":1}"#)?.kind == .reply)
        #expect(rejection(#"{"jsonrpc":"2.0"}"#)?.kind == .reply)
        #expect(rejection("")?.kind == .unreadable)
    }

    @Test func `a reply's value is read, or its error thrown`() throws {
        try withReply(#"{"jsonrpc":"2.0","id":7,"result":{"a":[1]}}"#) { reply in
            let value = try reply.value()
            #expect(value == ["a": [1]])
        }
        try withReply(#"{"jsonrpc":"2.0","id":7,"error":null}"#) { reply in
            let value = try reply.value()
            #expect(value == .null)
        }
        try withReply(#"{"jsonrpc":"2.0","id":7,"error":{"message":"bad","statusCode":418}}"#) { reply in
            let error = #expect(throws: RPCError.self) { try reply.value() }
            #expect(error?.message == "bad")
            #expect(error?.statusCode == 418)
        }
    }

    @Test func `damage to a message never crashes`() throws {
        let line = Array(
            #"{"jsonrpc":"2.0","id":"a\u0041","method":"svc.echo","params":[{"é":1.5e3}],"stream":true,"result":null}"#
                .utf8)
        var state: UInt64 = 42
        for round in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var bytes = line
            let place = Int(state >> 33) % bytes.count
            switch round % 3 {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: state >> 20)
            case 1: bytes.remove(at: place)
            default: bytes.removeSubrange(place...)
            }
            bytes.withUnsafeBytes { raw in
                if case .request(let request)? = try? Message.scan(raw) { _ = request.method.string }
            }
        }
    }
}
