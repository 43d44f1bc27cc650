import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What happens when somebody goes as far as pm lets them, and further: Docs/Reliability.md lists the bounds.
@Suite(.serialized) struct `At its bounds pm` {
    private func request(_ id: Int, _ method: String, _ params: String = "[]") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
    }

    private func isRefused(_ reply: JSONValue?, _ message: String) -> Bool {
        let error = reply?["error"]
        return error?["statusCode"]?.int == 503 && error?["retry"] == true && error?["message"]?.string == message
    }

    @Test func `takes a batch of a hundred and refuses a longer one`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let client = try project.client()
            func batch(_ count: Int) -> String {
                "[\((1...count).map { request($0, "name") }.joined(separator: ","))]"
            }
            try client.send(batch(100))
            let ids = (1...100).map { _ in client.json()?["id"]?.int }
            #expect(ids == Array(1...100))
            try client.send(batch(101))
            let error = client.json()?["error"]
            #expect(error?["code"]?.int == -32600 && error?["data"]?["info"] == "a batch has more than 100 messages")
            #expect(try client.call("name")?["result"] != nil)
        }
    }

    @Test func `tells who sends a line without end before it ends, and takes the next one`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let client = try project.client()
            let megabyte = [UInt8](repeating: 97, count: 1 << 20)
            for _ in 0..<65 { try client.send(megabyte) }
            let error = client.json()?["error"]
            #expect(error?["code"]?.int == -32600)
            #expect(error?["data"]?["info"] == "a line is longer than 67108864 bytes")
            for _ in 0..<65 { try client.send(megabyte) }
            try client.send([10])
            #expect(try client.call("name")?["result"] != nil)
            #expect(try project.daemonMemory() < 64)
        }
    }

    @Test func `reads no more from a client with 4,096 calls under way until half of them are answered`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.client()
            for id in 1...4096 { try client.send(request(id, "raw.hold")) }
            try client.send(request(0, "name"))
            #expect(try project.client().call("raw.echo", [1])?["result"] == 1)
            try project.must("stop", "raw")
            let replies = (0...4096).map { _ in client.json() }
            let place = try #require(replies.firstIndex { $0?["id"]?.int == 0 })
            #expect(place >= 2048)
            #expect(replies.count { isRefused($0, "the service ended before it answered") } == 4096)
        }
    }

    @Test func `refuses calls to a service that does not read`() async throws {
        try await TestProject.with { project in
            try project.script("deaf", "exec sleep 1000")
            try project.configure(
                ["deaf": ["path": "./deaf", "commandable": true]],
                mapping: ["deaf": ["container": "deaf", "ready": "started"]])
            try project.startDaemon()
            try project.must("start", "deaf", "--wait")
            let first = try project.client()
            try first.send(request(1, "deaf.any", "[\"\(String(repeating: "x", count: 33 << 20))\"]"))
            let other = try project.client()
            try until("calls are refused") {
                try other.send(request(1, "name") + "\n" + request(2, "deaf.any"))
                #expect(other.json()?["id"]?.int == 1)
                return isRefused(other.json(), "the service has too much to read")
            }
            // Who waits is told when it ends.
            try project.must("stop", "deaf")
            #expect(isRefused(first.json(), "the service ended before it answered"))
        }
    }

    @Test(arguments: [
        (256, #"start","params":["never%d",{"wait":true}]"#, "256 requests of this service to pm are not answered yet"),
        (4096, #"raw.hold","params":[%d]"#, "4096 calls of this service are not answered yet"),
    ])
    func `refuses what a service asks when too much of it is not answered`(
        _ bound: Int, _ method: String, _ message: String
    ) async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.write(
                "asker.pl",
                """
                $| = 1;
                open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
                my $ask = '{"jsonrpc":"2.0","id":%d,"method":"\(method)}' . "\\n";
                syswrite $pm, join '', map { sprintf $ask, $_, $_ } 1 .. \(bound + 4);
                while (<$pm>) { print ++$refused, " refused\\n" if /"retry":true/ && /\(message)/ }
                """)
            try project.script("asker", "exec perl asker.pl")
            let names = (1...260).map { "never\($0)" }
            var mappings = names.map { ($0, ["container": "never", "cli": ["100"], "ready": "notify"] as JSONValue) }
            mappings.append(("asker", ["container": "asker", "ready": "started"]))
            try project.configure(
                [
                    "never": ["path": "/bin/sleep"], "asker": ["path": "./asker", "commandable": true],
                    "raw": ["path": "./raw", "commandable": true],
                ], mapping: .object(JSONObject(mappings)))
            try project.startDaemon()
            try project.must("start", "raw", "--wait")
            try project.must("start", "asker")
            try until("four are refused") { try project.must("log", "asker", "--raw").contains("4 refused\n") }
            #expect(try project.client().call("raw.echo", [1])?["result"] == 1)
            #expect(try !project.must("log", "asker", "--raw").contains("5 refused\n"))
        }
    }

    @Test func `has 4,096 connections of one user`() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // With fewer descriptors those are the bound.
        guard limit.rlim_max > 10_000 else { return }
        try await TestProject.with { project in
            try project.startDaemon()
            var clients = try (1...4096).map { _ in try project.client() }
            #expect(try clients[4095].call("name")?["result"] != nil)
            let outcome = try project.pm("status")
            #expect(outcome.code == 69, "\(outcome)")
            #expect(
                outcome.errors == "pm: user \(getuid()) has 4096 connections to this daemon already\n"
                    + "hint: end the program that opened them: ss -xp shows which\n")
            #expect(try clients[0].call("name")?["result"] != nil)
            clients = []
            try until("there is room again") { try project.pm("status").code == 0 }
        }
    }

    @Test func `holds 256 MB for all connections together`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let other = try project.client()
            // Each is allowed to send a line of 64 MB; none ends its line.
            let clients = try (1...8).map { _ in try project.client() }
            let megabyte = [UInt8](repeating: 97, count: 1 << 20)
            var refused: Set<Int> = []
            for _ in 0..<60 {
                for (number, client) in clients.enumerated() where !refused.contains(number) {
                    // It is closed in the middle of what it sends.
                    do { try client.send(megabyte) } catch { refused.insert(number) }
                }
                #expect(try other.call("name")?["result"] != nil)
            }
            #expect(refused.count >= 4 && refused.count < 8, "\(refused)")
            for number in refused {
                let error = clients[number].json()?["error"]
                #expect(error?["statusCode"]?.int == 503)
                #expect(error?["message"] == "all connections together wait with more than 256 MB")
            }
            #expect(try project.daemonMemory() < 400)
        }
    }

    @Test func `takes no more orders while pm-init does not keep up`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(1)
            try project.startDaemon()
            try project.must("start", "s1", "--wait")
            let holder = try project.holderID()
            kill(holder, SIGSTOP)
            defer { kill(holder, SIGCONT) }
            let clients = try (1...300).map { _ in try project.client() }
            for client in clients {
                for id in 1...64 {
                    try client.send(request(id, "stop", #"["s1"]"#) + "\n" + request(100 + id, "restart", #"["s1"]"#))
                }
            }
            var guests: [LineClient] = []
            try until("orders are refused") {
                // Where pm is slow they come faster than it looks at what waits; there is room for 4096.
                if guests.count == 1000 { guests = [] }
                let guest = try project.client()
                guests.append(guest)
                // What is taken is not answered before pm-init goes on; what is refused is answered first.
                try guest.send(request(1, "restart", #"["s1"]"#) + "\n" + request(2, "name"))
                return isRefused(
                    guest.json(), "pm-init does not keep up: nothing can be started or stopped at the moment")
            }
            #expect(try project.client().call("status", ["s1"])?["result"] != nil)
            kill(holder, SIGCONT)
            let last = try project.client()
            // Orders of the others may still come behind it.
            try until("orders are taken again") { try last.call("restart", ["s1"])?["result"] != nil }
        }
    }
}
