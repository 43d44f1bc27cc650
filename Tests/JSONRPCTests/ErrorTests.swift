import JSON
import JSONRPC
import Testing

@Suite struct ErrorTests {
    @Test func `a peer's error keeps all its members in order`() {
        let raw =
            #"{"message":"bad","name":"Error","statusCode":418,"code":"TEAPOT","stack":"Error: bad\n    at x","own":{"deep":[1.50]}}"#
        let error = Array(raw.utf8).withUnsafeBytes { RPCError(raw: $0) }
        #expect(error.message == "bad")
        #expect(error.name == "Error")
        #expect(error.statusCode == 418)
        #expect(error.code == .word("TEAPOT"))
        #expect(error.stack == "Error: bad\n    at x")
        #expect(error["own"]?.text == #"{"deep":[1.50]}"#)
        #expect(error.json.text == raw)
        #expect(error.description == "bad")
    }

    @Test(arguments: [
        (#""plain""#, "plain"), ("5", "5"), ("{}", "{}"), (#"{"code":1}"#, #"{"code":1}"#),
        (#"{"message":7}"#, #"{"message":7}"#),
    ])
    func `an error of any shape has a message`(_ raw: String, _ message: String) {
        let error = Array(raw.utf8).withUnsafeBytes { RPCError(raw: $0) }
        #expect(error.message == message)
        #expect(error.json.text == raw)
    }

    @Test func `an error that cannot be read is an error about that`() {
        let error = Array("{".utf8).withUnsafeBytes { RPCError(raw: $0) }
        #expect(error.code == .number(-32603))
        #expect(error.message.contains("cannot be read"))
    }

    @Test func `JSON-RPC's own errors have its codes`() {
        let errors: [RPCError] = [
            .invalidRequest("i"), .methodNotFound("m"), .noResponseHandler(RPCID("x y")),
        ]
        #expect(errors.map(\.code) == [.number(-32600), .number(-32601), .number(-32600)])
        #expect(errors.allSatisfy { $0.isProtocolError })
        #expect(errors[2].description == "Invalid Request: no response handler for id x y")
        #expect(errors[0].json.text == #"{"code":-32600,"message":"Invalid Request","data":{"info":"i"}}"#)
    }

    @Test func `failures carry a status`() {
        let errors: [RPCError] = [
            .badRequest("m"), .notFound("m"), .conflict("m"), .internalError("m"), .serviceFailed("m"),
            .unavailable("m"), .timedOut("m"),
        ]
        #expect(errors.map(\.statusCode) == [400, 404, 409, 500, 502, 503, 504])
        #expect(errors.allSatisfy { !$0.isProtocolError && $0.message == "m" })
    }

    @Test func `members can be added`() {
        let error = RPCError.notFound("no x").adding("hint", "pm ls")
        #expect(error.json.text == #"{"code":-32000,"message":"no x","statusCode":404,"hint":"pm ls"}"#)
        #expect(RPCError("plain").adding("hint", "h").json.text == #"{"message":"plain","hint":"h"}"#)
        #expect(RPCError(code: 1, message: "m", data: [1]).json.text == #"{"code":1,"message":"m","data":[1]}"#)
    }
}

@Suite struct IDTests {
    @Test func `ids are their bytes, short or long`() {
        for length in 0..<100 {
            let bytes = (0..<length).map { UInt8($0) }
            let id = bytes.withUnsafeBytes { RPCID(raw: $0) }
            #expect(id.withBytes { Array($0) } == bytes)
            #expect(id == bytes.withUnsafeBytes { RPCID(raw: $0) })
            #expect(id.hashValue == bytes.withUnsafeBytes { RPCID(raw: $0) }.hashValue)
            #expect(id != (bytes + [0]).withUnsafeBytes { RPCID(raw: $0) })
        }
    }

    @Test func `ids are made of numbers and strings`() {
        #expect(RPCID(5).withBytes { text($0) } == "5")
        #expect(RPCID("a\"b").withBytes { text($0) } == #""a\"b""#)
        #expect(RPCID("5") != RPCID(5))
        #expect(RPCID("a\"b").description == "a\"b")
        #expect(RPCID(5).description == "5")
        #expect("null".utf8.withContiguousStorageIfAvailable { RPCID(raw: UnsafeRawBufferPointer($0)).isNull } == true)
        #expect(!RPCID("null").isNull)
    }
}
