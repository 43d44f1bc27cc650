import Glibc
import JSON
import PMAPI
import PMClient
import PMSystem
import Testing

@Suite struct DaemonClientTests {
    @Test func `a request is written as the protocol says`() throws {
        let (client, peer) = try FakeDaemon().connect()
        _ = try client.send(Status(name: "web"))
        #expect(peer.received() == #"{"id":1,"method":"status","params":["web"],"jsonrpc":"2.0"}"# + "\n")
    }

    @Test func `an answer is read`() throws {
        let (client, peer) = try FakeDaemon().connect()
        peer.line(#"{"id":1,"result":[{"name":"web","running":true,"type":"nodejs"}],"jsonrpc":"2.0"}"#)
        #expect(try client.call(Status()).map(\.name) == ["web"])
    }

    @Test func `falsy results and nothing are told apart`() throws {
        let (client, peer) = try FakeDaemon().connect()
        for (id, result) in ["0", "false", #""""#].enumerated() {
            peer.line(#"{"id":\#(id + 1),"result":\#(result),"jsonrpc":"2.0"}"#)
        }
        peer.line(#"{"id":4,"error":null,"jsonrpc":"2.0"}"#)
        let results = try (0..<4).map { _ in try client.call("web.x", []) }
        #expect(results == [0, false, "", .null])
    }

    @Test func `answers may come in any order`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let first = try client.send("a", [])
        let second = try client.send("b", [])
        peer.line(#"{"id":2,"result":"two","jsonrpc":"2.0"}"#)
        peer.line(#"{"id":1,"result":"one","jsonrpc":"2.0"}"#)
        #expect(try client.value(of: first) == "one")
        #expect(try client.value(of: second) == "two")
    }

    @Test func `an error keeps what it says`() throws {
        let (client, peer) = try FakeDaemon().connect()
        peer.line(#"{"id":1,"error":{"statusCode":404,"message":"no web","hint":"pm ls"},"jsonrpc":"2.0"}"#)
        let error = #expect(throws: ClientError.self) { try client.call(Status(name: "web")) }
        #expect(
            error?.report.message == "no web" && error?.report.hint == "pm ls" && error?.report.exitCode == .notFound)
    }

    @Test func `what was not asked for is passed over`() throws {
        let (client, peer) = try FakeDaemon().connect()
        peer.line(#"{"method":"hello","params":[],"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":"x","method":"$metadata","params":[],"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":99,"result":1,"jsonrpc":"2.0"}"#)
        peer.line(#"{"id":1,"result":"here","jsonrpc":"2.0"}"#)
        #expect(try client.call("a", []) == "here")
    }

    @Test func `more replies than can be waited for end the call`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let thread = BackgroundThread {
            let many = (2...1001).map { #"{"id":\#($0),"result":1,"jsonrpc":"2.0"}"# + "\n" }.joined()
            for _ in 1...66 { peer.send(many) }
        }
        let error = #expect(throws: ClientError.self) { try client.call("a", []) }
        #expect(error == .garbled("65536 replies to calls that were not made yet"))
        shutdown(peer.socket.raw, Int32(SHUT_RDWR))
        thread.join()
    }

    @Test func `an answer in many pieces is one answer`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let thread = BackgroundThread {
            _ = peer.received()
            for character in #"{"id":1,"result":"pièces","jsonrpc":"2.0"}"# + "\n" { peer.send(String(character)) }
        }
        #expect(try client.call("a", []) == "pièces")
        thread.join()
    }

    @Test func `a huge answer arrives whole`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let text = String(repeating: "0123456789abcdef", count: 1 << 20)
        let thread = BackgroundThread { peer.line(#"{"id":1,"result":"\#(text)","jsonrpc":"2.0"}"#) }
        #expect(try client.call("a", [], within: .seconds(60)).string?.utf8.count == text.utf8.count)
        thread.join()
    }

    @Test func `a huge request is taken by a peer that reads slowly`() throws {
        let (client, peer) = try FakeDaemon().connect()
        let text = String(repeating: "x", count: 4 << 20)
        let thread = BackgroundThread {
            var count = 0
            while count < text.utf8.count { count += peer.received().utf8.count }
            peer.line(#"{"id":1,"result":\#(count),"jsonrpc":"2.0"}"#)
        }
        #expect(try client.call("a", [.string(text)]).int ?? 0 > text.utf8.count)
        thread.join()
    }
}

@Suite struct BrokenDaemonTests {
    private func failure(_ script: (FakePeer) -> Void) throws -> ClientError? {
        let (client, peer) = try FakeDaemon().connect()
        script(peer)
        return #expect(throws: ClientError.self) { try client.call("status", [.null], within: .milliseconds(50)) }
    }

    @Test func `a connection that closes is lost`() throws {
        #expect(try failure { $0.close() } == .lost(method: "status"))
    }

    @Test func `a half-closed connection is lost, even within an answer`() throws {
        let error = try failure { peer in
            peer.send(#"{"id":1,"resu"#)
            peer.close(1)
        }
        #expect(error == .lost(method: "status"))
    }

    @Test func `a daemon that says nothing is too late`() throws {
        #expect(try failure { _ in } == .timedOut(method: "status", .milliseconds(50)))
    }

    @Test func `half an answer and silence is too late`() throws {
        #expect(try failure { $0.send(#"{"id":1,"#) } == .timedOut(method: "status", .milliseconds(50)))
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request", "", "[", #"{"id":1}"#, #"{"id":1,"result":1}"#, "\u{0}\u{1}"])
    func `what is not the protocol is said to be no pm`(line: String) throws {
        guard case .garbled = try failure({ $0.line(line) }) else {
            Issue.record("it was taken for something else")
            return
        }
    }

    @Test func `invalid UTF-8 is said to be no pm`() throws {
        let (client, peer) = try FakeDaemon().connect()
        try Files.write([0x7B, 0xFF, 0xFE, 0x0A], to: peer.socket.raw, named: "socket")
        let error = #expect(throws: ClientError.self) { try client.call("a", []) }
        guard case .garbled = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a daemon that could not read us is heard`() throws {
        let error = try failure {
            $0.line(#"{"error":{"code":-32700,"message":"Parse error"},"id":-1,"jsonrpc":"2.0"}"#)
        }
        #expect(error?.report.message == "Parse error")
    }

    @Test func `a call to a daemon that has gone is an error, not a signal`() throws {
        let daemon = try FakeDaemon()
        var (client, peer): (DaemonClient, FakePeer?) = try daemon.connect()
        peer = nil
        _ = peer
        let error = #expect(throws: ClientError.self) {
            for _ in 0..<3 { _ = try client.call("a", []) }
        }
        #expect(error == .lost(method: "a"))
    }

    @Test func `each failure has its exit code`() {
        let socket = "/s"
        #expect(ClientError.notRunning(socket: socket).report.exitCode == .notRunning)
        #expect(ClientError.notPermitted(socket: socket).report.exitCode == .notPermitted)
        #expect(ClientError.lost(method: "a").report.exitCode == .notRunning)
        #expect(ClientError.timedOut(method: "a", .seconds(1)).report.exitCode == .timeout)
        #expect(ClientError.garbled("x").report.exitCode == .failure)
        #expect(ClientError.refused(.conflict("x")).report.exitCode == .conflict)
    }
}
