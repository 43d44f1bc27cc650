import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What clients and services can make pmd hold, measured in the memory of the real program.
@Suite(.serialized) struct `What pmd holds for others` {
    /// A service with an idempotent command that never answers, in two instances.
    private func startSlow(_ project: TestProject) throws {
        try project.write(
            "slow",
            """
            #!/usr/bin/env node
            const channel = new (require('net').Socket)({ fd: Number(process.env.PM_CHANNEL_FD) });
            const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
            // Read and thrown away: what is measured is pmd.
            channel.on('data', () => {});
            const commands = [{ name: 'slow', config: { '': { idempotent: true } } }];
            say({ id: 1, method: 'ready', params: [{ name: 'slow', commands }] });
            """, executable: true)
        try project.configure(
            ["slow": ["path": "./slow", "commandable": true, "stateless": true]],
            mapping: ["slow": ["container": "slow", "instances": 2]])
        try project.startDaemon()
        try project.must("start", "slow", "--wait")
    }

    /// Calls with 8 MB each that are not answered.
    private func calls(_ client: LineClient, _ count: Int) throws {
        let pad = [UInt8](repeating: 97, count: 8 << 20)
        for id in 1...count {
            let head = Array("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"slow.slow\",\"params\":[\"".utf8)
            try client.send(head + pad + Array("\"]}\n".utf8))
        }
    }

    @Test func `has a bound for calls that are kept to be made again, of a container's connection too`() async throws {
        try await TestProject.with { project in
            try startSlow(project)
            let client = try project.client()
            var others: [LineClient] = []
            #expect(try client.call("confine", [])?["error"]?.isNull == true)
            try calls(client, 14)
            // Nine fit into 80 MB; each of the others is told at once.
            for _ in 0..<5 {
                let error = client.json()?["error"]
                #expect(error?["statusCode"]?.int == 503 && error?["retry"] == true)
            }
            #expect(try project.daemonMemory() < 256)
            // Of all there are nineteen.
            for (count, refused) in [(12, 3), (3, 2)] {
                let other = try project.client()
                try calls(other, count)
                for _ in 0..<refused { #expect(other.json()?["error"]?["statusCode"]?.int == 503) }
                others.append(other)
            }
            #expect(try project.daemonMemory() < 400)
            #expect(try project.client().call("name")?["result"] != nil)
            // Who leaves makes room, and so does an end of the service.
            try project.must("stop", "slow")
            try until("memory is given back") { try project.daemonMemory() < 128 }
        }
    }

    @Test func `has a bound for parameters of requests to itself, and for what a service says of itself`() async throws
    {
        try await TestProject.with { project in
            try project.configure(["o": ["path": "/bin/sleep"]])
            try project.startDaemon()
            let client = try project.client()
            let ones = "[\(String(repeating: "1,", count: 20 << 20))1]"
            try client.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":\(ones)}")
            #expect(client.json()?["error"]?["statusCode"] == 413)
            #expect(try project.daemonMemory() < 256)
            let name = String(repeating: "n", count: 1 << 19)
            #expect(try client.call("start", ["o", ["name": .string(name)]])?["error"]?["statusCode"] == 400)
        }
    }

    @Test func `has a bound for names that are made while it runs, and lets them be only what names may be`()
        async throws
    {
        try await TestProject.with { project in
            try project.configure(["o": ["path": "/nonexistent"], "web": ["path": "/bin/sleep"]])
            try project.startDaemon()
            let client = try project.client()
            for name in ["../../x", "a\nsshd.service", "a\u{1b}[2J", "a\u{9b}2J", "a/../b", "", "/a", "web#2", "pm"] {
                let status = try client.call("start", ["o", ["name": .string(name)]])?["error"]?["statusCode"]?.int
                #expect(name.isEmpty ? status != 200 : status == 400 || status == 409, "\(name): \(status ?? 0)")
            }
            for name in ["../../x", "a\nb", String(repeating: "n", count: 201)] {
                #expect(
                    try client.call("map", [.string(name), "/bin/sleep"])?["error"]?["statusCode"] == 400, "\(name)")
            }
            for number in 0..<1024 {
                _ = try client.call("start", ["o", ["name": .string("run-\(number)")]])
            }
            let error = try client.call("start", ["o", ["name": "one-more"]])?["error"]
            #expect(error?["statusCode"] == 503, "\(error?.text ?? "started")")
            #expect(try project.daemonMemory() < 128)
        }
    }
}
