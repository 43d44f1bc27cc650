import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `The daemon's socket` {
    @Test func `answers lines that are no messages, and goes on`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let client = try project.client()
            for line in [
                "", "\r", "{", "nonsense", "[]", "[1]", "7", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\u{1}\"}",
            ] {
                try client.send(line)
                let error = try #require(client.json()?["error"], "\(line)")
                #expect(error["code"]?.int == -32700 || error["code"]?.int == -32600, "\(line): \(error.text)")
            }
            try client.send(
                Array(#"{"jsonrpc":"2.0","id":1,"method":"status","params":[""#.utf8) + [0xFF, 0xC3]
                    + Array("\"]}\n".utf8))
            #expect(client.json()?["error"]?["code"]?.int == -32700)
            try client.send("[\(String(repeating: "[", count: 100_000))")
            #expect(client.json()?["error"]?["code"]?.int == -32700)
            #expect(try client.call("name")?["result"]?.string?.contains("-") == true)
        }
    }

    @Test func `takes a line of 64 MB and refuses a longer one`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let client = try project.client()
            let head = Array(#"{"jsonrpc":"2.0","id":1,"method":"nope","params":[""#.utf8)
            let tail = Array("\"]}\n".utf8)
            let limit = 64 << 20
            func line(_ size: Int) -> [UInt8] {
                let count = size + 1 - head.count - tail.count
                let middle = [UInt8](unsafeUninitializedCapacity: count) { space, written in
                    if let start = space.baseAddress { memset(start, 97, count) }
                    written = count
                }
                return head + middle + tail
            }
            try client.send(line(limit))
            #expect(client.json()?["error"]?["code"]?.int == -32601)
            try client.send(line(limit + 1))
            let error = try #require(client.json()?["error"])
            #expect(
                error["code"]?.int == -32600 && error["data"]?["info"]?.string == "a line is longer than 67108864 bytes"
            )
            #expect(try client.call("name")?["result"] != nil)
            // The buffer of the giant line is given back.
            #expect(try project.daemonMemory() < 64)
        }
    }

    @Test func `serves others while one is silent in the middle of a message`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let silent = try project.client()
            try silent.send(Array(#"{"jsonrpc":"2.0","id":1,"meth"#.utf8))
            let other = try project.client()
            for _ in 1...100 { #expect(try other.call("name")?["result"] != nil) }
            try silent.send(Array("od\":\"name\"}\n".utf8))
            #expect(silent.json()?["id"]?.int == 1)
        }
    }

    @Test func `serves while a thousand connections are idle`() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try await TestProject.with { project in
            try project.startDaemon()
            let daemon = try project.daemonID()
            func descriptors() throws -> Int { try Files.list("/proc/\(daemon)/fd").count }
            let (memory, before) = (try project.daemonMemory(), try descriptors())
            var clients: [LineClient] = []
            for _ in 1...1000 { clients.append(try project.client()) }
            #expect(try clients[999].call("name")?["result"] != nil)
            #expect(try clients[0].call("name")?["result"] != nil)
            #expect(try descriptors() >= 1000)
            #expect(try project.daemonMemory() < memory + 16)
            clients = []
            try until("the connections are closed") { try descriptors() <= before + 1 }
            #expect(try project.daemonID() == daemon)
        }
    }

    @Test func `reads nothing more from a client that does not read`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let greedy = try UnixSocket.connect(project.socket)
            let request = Array(#"{"jsonrpc":"2.0","id":1,"method":"$metadata","params":{"params":true}}"#.utf8) + [10]
            let calls = Array(repeatElement(request, count: 500).joined())
            var sent = 0
            var room = pollfd(fd: greedy.raw, events: Int16(POLLOUT), revents: 0)
            // No room for half a second: the daemon has stopped reading.
            while poll(&room, 1, 500) > 0, sent < 64 << 20 {
                // What is cut off here only makes lines that are no messages; they are answered too.
                sent += max(0, send(greedy.raw, calls, calls.count, Int32(MSG_DONTWAIT)))
            }
            #expect(sent > 0 && sent < 64 << 20)
            #expect(try project.daemonMemory() < 64)
            #expect(try project.client().call("name")?["result"] != nil)
        }
    }

    @Test func `answers what was asked before the client ended its half`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","id":1,"method":"raw.big","params":[3000000]}"#)
            try client.send(#"{"jsonrpc":"2.0","id":2,"method":"name"}"#)
            client.finish()
            let ids = [client.json()?["id"]?.int, client.json()?["id"]?.int]
            #expect(ids.compactMap(\.self).sorted() == [1, 2])
            #expect(client.line() == nil)
        }
    }

    @Test func `takes a last request without a line end`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let client = try project.client()
            try client.send(Array(#"{"jsonrpc":"2.0","id":9,"method":"name"}"#.utf8))
            client.finish()
            #expect(client.json()?["id"]?.int == 9)
            #expect(client.line() == nil)
        }
    }
}
