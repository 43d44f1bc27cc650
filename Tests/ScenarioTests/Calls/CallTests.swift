import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `Calls to a service` {
    @Test func `that is not there say what to do`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices()
            let client = try project.client()
            let idle = try #require(try client.call("svc.echo", [1])?["error"])
            #expect(idle["statusCode"]?.int == 503 && idle["hint"]?.string == "pm start svc")
            #expect(idle["message"]?.string == "svc does not run")
            let ghost = try #require(try client.call("ghost.echo", [1])?["error"])
            #expect(
                ghost["code"]?.int == -32601
                    && ghost["data"]?["info"]?.string == "no handler found for method ghost.echo")
            let misspelt = try #require(try client.call("start", ["svcc"])?["error"])
            #expect(misspelt["statusCode"]?.int == 404 && misspelt["hint"]?.string?.contains("svc") == true)
            let outcome = try project.pm("svc", "echo", "1")
            #expect(outcome.code == 73 && outcome.errors.contains("pm start svc"), "\(outcome)")
            try project.must("start", "svc", "--wait")
            let unknown = try #require(try client.call("svc.ghost")?["error"])
            #expect(unknown["code"]?.int == -32601)
        }
    }

    @Test func `reach it byte for byte`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.client()
            for params in [
                "[ 1.0 ,\t1e3,-0, 100000000000000000000000001 ]", #"{"b":1,"a":2,"b":3}"#,
                #"["\u00e9\/é","\ud83d\ude00"]"#,
                "[]", "{ }", #"{"params":[1],"_trigger":"x", "auth" : null}"#,
                "[0.10,1E+2, 12345678901234567890.123456789]",
            ] {
                try client.send("{\"jsonrpc\" : \"2.0\",\"params\":\(params) ,\"id\":\"7\", \"method\":\"raw.line\"}")
                let seen = try #require(client.json()?["result"]?.string)
                #expect(seen.contains("\"method\":\"line\",\"params\":\(params),\"jsonrpc\""), "\(seen)")
            }
        }
    }

    @Test func `are all answered in their order when ten thousand are sent at once`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let client = try project.client()
            let requests = (1...10_000).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"svc.echo","params":[\#($0)]}"# }
            try client.send(requests.joined(separator: "\n"))
            var wrong = 0
            for number in 1...10_000 where client.line() != #"{"id":\#(number),"result":\#(number),"jsonrpc":"2.0"}"# {
                wrong += 1
            }
            #expect(wrong == 0)
        }
    }

    @Test func `bring back results of many megabytes`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.client()
            let size = 20_000_000
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"raw.big","params":[\#(size)]}"#)
            let line = try #require(client.bytes())
            let (head, tail) = (Array(#"{"id":1,"result":""#.utf8), Array(#"","jsonrpc":"2.0"}"#.utf8))
            #expect(line.starts(with: head) && line.suffix(tail.count).elementsEqual(tail))
            #expect(line.count == head.count + size + tail.count)
            #expect(try client.call("raw.echo", ["small"])?["result"]?.string == "small")
            #expect(try project.daemonMemory() < 64)
        }
    }

    @Test func `fail in a way that can be tried again when it is killed meanwhile`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let clients = try (1...5).map { _ in try project.client() }
            for client in clients {
                for id in 2...11 { try client.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"raw.hold"}"#) }
                // An answer to what was sent after them: the service has them.
                #expect(try client.call("raw.echo", ["here"])?["result"]?.string == "here")
            }
            let pid = try #require(try project.status("raw")["pid"]?.int)
            kill(pid_t(pid), SIGKILL)
            for client in clients {
                var ids: Set<Int> = []
                for _ in 2...11 {
                    let reply = try #require(client.json())
                    #expect(reply["error"]?["retry"]?.bool == true, "\(reply.text)")
                    ids.insert(reply["id"]?.int ?? 0)
                }
                #expect(ids == Set(2...11))
            }
            try project.until("raw", "back") { $0["ready"]?.bool == true && $0["pid"]?.int != pid }
            #expect(try clients[0].call("raw.echo", ["again"])?["result"]?.string == "again")
        }
    }

    @Test func `of a caller that leaves before the answer disturb nobody`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let daemon = try project.daemonID()
            for _ in 1...50 {
                let leaver = try project.client()
                try leaver.send(#"{"jsonrpc":"2.0","id":1,"method":"raw.big","params":[100000]}"#)
            }
            #expect(try project.client().call("raw.echo", [1])?["result"]?.int == 1)
            #expect(try project.daemonID() == daemon)
        }
    }
}
