import JSONRPC
import PMAPI
import PMClient
import PMSystem
import Testing

@Suite struct LogStreamTests {
    @Test func `a stream is read piece by piece, then ends`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let ticket = try client.open(Log(names: ["web"]))
        peer.line(#"{"id":1,"stream":true,"result":{},"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":1,"result":{"event":"data","isBuffer":false,"data":"text"},"jsonrpc":"2.0"}"#)
        peer.line(
            #"{"id":1,"result":{"event":"data","isBuffer":true,"data":{"type":"Buffer","data":[97]}},"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":1,"result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}"#)
        #expect(try client.nextPiece(of: ticket) == .data(.data("text")))
        #expect(try client.nextPiece(of: ticket) == .data(.bytes([97])))
        #expect(try client.nextPiece(of: ticket) == .end)
    }

    @Test func `an error in a stream ends it`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let ticket = try client.open(Log(names: ["web"]))
        peer.line(#"{"id":1,"stream":true,"result":{},"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":1,"error":{"statusCode":404,"message":"no web"},"jsonrpc":"2.0"}"#)
        let error = #expect(throws: ClientError.self) { try client.nextPiece(of: ticket) }
        #expect(error?.report.statusCode == 404)
    }

    @Test func `a call is answered while a stream runs`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let ticket = try client.open(Log(names: []))
        peer.line(#"{"id":1,"result":{"event":"data","isBuffer":false,"data":"a"},"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":1,"result":{"event":"data","isBuffer":false,"data":"b"},"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":2,"result":"x-y","jsonrpc":"2.0"}"#)
        #expect(try client.call(Name()) == "x-y")
        #expect(try client.nextPiece(of: ticket) == .data(.data("a")))
        #expect(try client.nextPiece(of: ticket) == .data(.data("b")))
    }

    @Test func `waiting for a piece can be interrupted`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let ticket = try client.open(Log(names: []))
        let pipe = try Pipe.make()
        try Files.write([1], to: pipe.writing.raw, named: "pipe")
        #expect(try client.nextPiece(of: ticket, interrupt: pipe.reading.raw) == .interrupted)
        #expect(try client.nextPiece(of: ticket, within: .milliseconds(1)) == .idle)
        peer.close()
    }

    @Test func `a daemon that does not stream is said not to`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let ticket = try client.open(Log(names: ["web"]))
        peer.line(#"{"id":1,"result":{"allowHalfOpen":true},"jsonrpc":"2.0"}"#)
        let error = #expect(throws: ClientError.self) { try client.nextPiece(of: ticket) }
        #expect(error == .garbled("log was answered, but not with a stream"))
    }

    @Test func `the end of the daemon is seen`() throws {
        let (client, peer) = try FakeDaemon().connect()
        #expect(try client.waitForEnd(within: .milliseconds(1)) == false)
        peer.line(#"{"id":7,"result":1,"jsonrpc":"2.0"}"#)
        peer.close()
        #expect(try client.waitForEnd(within: .seconds(10)))
    }
}
