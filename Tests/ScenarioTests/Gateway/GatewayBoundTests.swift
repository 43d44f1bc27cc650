import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What clients can make the gateway hold.
@Suite(.serialized) struct `Bounds of pm-gateway` {
    private static let limit = 16 << 20
    private static let mebibyte = String(repeating: "x", count: 1 << 20)
    /// In KB. What 200 clients send in each case is 200 MB; ByteBuffers are up to twice as large as what is in them.
    private static let mostGrowth = 64 << 10

    /// Sends the beginning and then a megabyte more over 200 connections that stay open; what one of them hears.
    private static func flood(
        _ gateway: TestGateway, _ port: UInt16, _ text: String, awaiting: String?
    ) throws -> [String] {
        let before = try gateway.project.memory(of: gateway.processID)
        var clients: [WireClient] = []
        var heard: [String] = []
        for _ in 0..<200 {
            let client = try WireClient(port: port)
            client.send(text)
            // One after the other, so that all that is held is held at once.
            if let awaiting { _ = client.receive(upTo: awaiting) }
            client.send(mebibyte)
            clients.append(client)
        }
        for client in clients {
            client.finish()
            heard.append(client.rest() ?? "")
        }
        let growth = try gateway.project.mostMemory(of: gateway.processID) - before
        #expect(growth < mostGrowth, "\(growth)")
        return heard
    }

    private static func with(_ body: (TestGateway) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            try project.startServices("svc")
            let points = ["http://127.0.0.1:PORT", "ws://127.0.0.1:PORT1", "jsonrpc+tcp://127.0.0.1:PORT"]
            try TestGateway.with(project, points, ["--memory-limit", "\(limit)"], body)
        }
    }

    /// Posts twenty bodies of 4 MB at once, and writes the status of each when all are answered.
    private static let poster = """
        const { request } = require('http');
        const body = Buffer.alloc(4 << 20, 'xyz');
        const post = () => new Promise((resolve) => {
          const options = { port: process.argv[1], method: 'POST', path: '/put', headers: { 'Content-Type': 'application/octet-stream' } };
          const asked = request(options, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
          asked.on('error', (error) => resolve(error.message));
          asked.end(body);
        });
        const { renameSync, writeFileSync } = require('fs');
        Promise.all(Array.from({ length: 20 }, post)).then((all) => {
          writeFileSync('posting', all.join(' '));
          renameSync('posting', 'posted');
        });
        """

    @Test func `let many long bodies through, and others meanwhile`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.write("sink/put.mjs", "export default (body) => body.data.length;")
            let config: JSONValue = [
                "fs": ["path": "./put.mjs"], "": ["inject": ["params.0"]],
                "http": ["method": "post", "route": "/put", "inject": ["rawBody"]],
            ]
            let commands: JSONValue = ["name": "sink", "commands": [["name": "put", "config": config]]]
            try project.write("sink/commands.json", commands.text)
            try project.configure([
                "svc": ["path": "./svc/commands.json", "commandable": true],
                "sink": ["path": "./sink/commands.json", "commandable": true],
            ])
            try project.startDaemon()
            for name in ["svc", "sink"] { try project.must("start", name, "--wait") }
            try TestGateway.with(project, ["http://127.0.0.1:PORT"]) { gateway in
                let posting = try project.start(["node", "-e", Self.poster, "\(gateway.port)"])
                var served = 0
                while (try? project.read("posted")) == nil {
                    #expect(Self.isServed(gateway))
                    served += 1
                }
                #expect(posting.wait().code == 0 && served > 1)
                #expect(try project.read("posted") == Array(repeating: "200", count: 20).joined(separator: " "))
            }
        }
    }

    private static func isServed(_ gateway: TestGateway) -> Bool {
        let answer = try? gateway.rpc(#"{"jsonrpc":"2.0","id":1,"method":"svc.add","params":[20,22]}"#)
        return answer?.json["result"]?.int == 42
    }

    private static let refusal = "clients of one address may make the gateway hold at most \(limit / 2) bytes"

    @Test func `first lines are held up to the bound, and then refused`() async throws {
        try await Self.with { gateway in
            let heard = try Self.flood(gateway, gateway.ports[2], #"{"jsonrpc":"2.0","id":1,"x":""#, awaiting: nil)
            #expect(heard.contains { $0.contains(Self.refusal) })
            #expect(eventually { Self.isServed(gateway) })
        }
    }

    @Test func `bodies are held up to the bound, and then refused`() async throws {
        try await Self.with { gateway in
            let head =
                "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n"
                + "Expect: 100-continue\r\n\r\n"
            let heard = try Self.flood(gateway, gateway.ports[0], head, awaiting: "100 Continue\r\n\r\n")
            #expect(heard.contains { $0.contains("503") && $0.contains(Self.refusal) }, "\(Set(heard))")
            #expect(eventually { Self.isServed(gateway) })
        }
    }

    @Test(arguments: [[0x81] as [UInt8], [0x01]])
    func `frames and messages of WebSocket are held up to the bound, and then refused`(first: [UInt8]) async throws {
        try await Self.with { gateway in
            let before = try gateway.project.memory(of: gateway.processID)
            var clients: [WireClient] = []
            // A frame of 4 MB of which a quarter comes, or a whole one to which others belong.
            let length: UInt64 = first == [0x01] ? 1 << 20 : 4_000_000
            let head =
                first + [0xFF] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) } + [0, 0, 0, 0]
            for _ in 0..<200 {
                let client = try WireClient(port: gateway.ports[0])
                client.send(WebSocketClient.handshake())
                _ = client.receive(upTo: "\r\n\r\n")
                client.send(head + Array(Self.mebibyte.utf8))
                clients.append(client)
            }
            var refused = 0
            for client in clients {
                client.finish()
                if client.rest()?.contains(Self.refusal) == true { refused += 1 }
            }
            #expect(refused > 100, "\(refused)")
            let growth = try gateway.project.mostMemory(of: gateway.processID) - before
            #expect(growth < Self.mostGrowth, "\(growth)")
            #expect(eventually { Self.isServed(gateway) })
        }
    }
}
