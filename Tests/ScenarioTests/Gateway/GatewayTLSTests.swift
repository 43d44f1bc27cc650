import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// TLS of pm-gateway, with certificates made here.
@Suite(.serialized) struct `TLS of pm-gateway` {
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"svc.add","params":[20,22]}"#
    private static let answer = #"{"id":1,"result":42,"jsonrpc":"2.0"}"#

    private static func with(
        _ points: (TestCertificates) -> [String], _ options: [String] = [],
        _ body: (TestGateway, TestCertificates) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            try project.startServices("svc")
            let certificates = try TestCertificates(project)
            try TestGateway.with(project, points(certificates), options) { try body($0, certificates) }
        }
    }

    @Test func `is over TCP, a unix socket, WebSocket and HTTP`() async throws {
        try await Self.with({ tls in
            [
                "jsonrpc+tcp+tls://127.0.0.1:PORT,\(tls.options)", "wss://127.0.0.1:PORT,\(tls.options)",
                "https://127.0.0.1:PORT,\(tls.options)",
                "jsonrpc+unix+tls://\(tls.file("pm.sock")),\(tls.options)",
            ]
        }) { gateway, tls in
            for place in ["\(gateway.ports[0])", tls.file("pm.sock")] {
                let heard = try TLSClient.ask(tls, at: ("lines", place), Self.call)
                #expect(heard.hasPrefix("TLSv1.3 ") && heard.hasSuffix(Self.answer), "\(heard)")
            }
            let web = try TLSClient.ask(tls, at: ("https", "\(gateway.ports[2])"), "/add/20/22")
            #expect(web == #"200 "2022""#)
            // The upgrade to a WebSocket, by the bytes: the frame that follows is unmasked text.
            let shaken = try TLSClient.ask(tls, at: ("lines", "\(gateway.ports[1])"), WebSocketClient.handshake())
            #expect(shaken.contains("HTTP/1.1 101") || shaken.contains("101 Switching"), "\(shaken)")
            var status = stat()
            #expect(stat(tls.file("pm.sock"), &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func `is of version 1 2 and later`() async throws {
        try await Self.with({ ["jsonrpc+tcp+tls://127.0.0.1:PORT,\($0.options)"] }) { gateway, tls in
            let place = (kind: "lines", where: "\(gateway.port)")
            let new = try TLSClient.ask(tls, at: place, Self.call, .init(variables: ["MAX": "TLSv1.2"]))
            #expect(new.hasPrefix("TLSv1.2 "), "\(new)")
            let old = try TLSClient.ask(tls, at: place, Self.call, .init(variables: ["MAX": "TLSv1.1"]))
            #expect(old.hasPrefix("failed"), "\(old)")
        }
    }

    @Test func `asks clients for certificates where it is told to`() async throws {
        try await Self.with({ tls in
            try? Files.replace(tls.file("token"), with: Array("0123456789abcdef".utf8))
            return [
                "jsonrpc+tcp+tls://0.0.0.0:PORT,\(tls.options),ca=\(tls.file("ca.pem"))",
                "https://0.0.0.0:PORT,\(tls.options),ca=\(tls.file("ca.pem")),token=\(tls.file("token"))",
            ]
        }) { (gateway, tls) throws in
            let lines = (kind: "lines", where: "\(gateway.ports[0])")
            #expect(try TLSClient.ask(tls, at: lines, Self.call, .init(name: "client")).hasSuffix(Self.answer))
            #expect(try TLSClient.ask(tls, at: lines, Self.call).hasPrefix("failed"))
            #expect(try TLSClient.ask(tls, at: lines, Self.call, .init(name: "stranger")).hasPrefix("failed"))
            #expect(gateway.says("the TLS handshake failed"))
            // With a token as well either is enough, but a certificate that is shown must be good.
            let web = (kind: "https", where: "\(gateway.ports[1])")
            let token = ["HEADERS": #"{"Authorization":"Bearer 0123456789abcdef"}"#]
            #expect(try TLSClient.ask(tls, at: web, "/text", .init(name: "client")) == "200 plain")
            #expect(try TLSClient.ask(tls, at: web, "/text", .init(variables: token)) == "200 plain")
            #expect(try TLSClient.ask(tls, at: web, "/text").hasPrefix("401 "))
            let stranger = TLSClient.Proof(name: "stranger", variables: token)
            #expect(try TLSClient.ask(tls, at: web, "/text", stranger).hasPrefix("failed"))
        }
    }

    @Test func `reads key and certificate again when they change, for new connections`() async throws {
        try await Self.with({ ["jsonrpc+tcp+tls://127.0.0.1:PORT,\($0.options)"] }) { gateway, tls in
            let place = (kind: "lines", where: "\(gateway.port)")
            func serial() throws -> String {
                let heard = try TLSClient.ask(tls, at: place, Self.call)
                return heard.split(separator: " ").dropFirst().first.map(String.init) ?? heard
            }
            let first = try serial()
            #expect(try serial() == first)
            try tls.issue("server", by: "ca", gateway.project)
            let second = try serial()
            #expect(second != first && second.count > 10)
            // One that does not fit is not taken; the last good one stays.
            try gateway.project.write("tls/server.key", "no key\n")
            #expect(try serial() == second)
            #expect(gateway.says("the gateway keeps using the previous certificate"))
            try Files.remove(tls.file("server.pem"))
            #expect(try serial() == second)
        }
    }

    @Test func `ends handshakes that stall, or that are none, and serves others meanwhile`() async throws {
        let options = ["--handshake-timeout", "1"]
        try await Self.with({ ["jsonrpc+tcp+tls://127.0.0.1:PORT,\($0.options)"] }, options) { gateway, tls in
            let before = descriptors(of: gateway.processID)
            let silent = try (0..<70).map { _ in try gateway.client() }
            for client in silent { #expect(client.rest() == "") }
            // More handshakes at once than are for one address: the last ones are turned away at once.
            let begun = try (0..<20).map { _ in try gateway.client() }
            for client in begun { client.send([0x16]) }
            #expect(gateway.says("too many handshakes at once from its address"))
            for client in begun { #expect(client.rest() != nil) }
            let half = try gateway.client()
            half.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
            let garbage = try gateway.client()
            garbage.send("GET / HTTP/1.1\r\n\r\n")
            let huge = try gateway.client()
            huge.send([0x16, 0x03, 0x03, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 70_000))
            let heard = try TLSClient.ask(tls, at: ("lines", "\(gateway.port)"), Self.call)
            #expect(heard.hasSuffix(Self.answer), "\(heard)")
            #expect(half.rest() == "")
            #expect(garbage.rest() != nil && huge.rest() != nil)
            #expect(eventually { descriptors(of: gateway.processID) == before })
        }
    }

    /// Opens 1,000 connections from one address that say nothing, or one byte of a handshake, opens them again when they are
    /// closed, and counts how many of 100 clients of another address are served meanwhile.
    private static let crowd = """
        const [port, ca, byte] = process.argv.slice(1);
        const net = require('net'), tls = require('tls');
        let open = 0, ended = false;
        const crowd = () => {
          if (ended) return;
          const socket = net.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
          socket.on('connect', () => { if (byte) socket.write(Buffer.from([0x16])); if (++open === 1000) honest(100, 0); });
          socket.on('error', () => {});
          socket.on('close', () => setTimeout(crowd, 20));
        };
        const honest = (left, served) => {
          if (left === 0) { console.log(served); process.exit(0); }
          const socket = tls.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.3', servername: 'localhost',
            ca: require('fs').readFileSync(ca) });
          const next = (one) => { socket.removeAllListeners(); socket.on('error', () => {}); socket.destroy(); honest(left - 1, served + one); };
          socket.on('secureConnect', () => next(1));
          socket.on('error', () => next(0));
        };
        for (let i = 0; i < 1000; i++) crowd();
        """

    @Test(arguments: ["", "byte"]) func `serves honest clients beside a thousand silent ones of another address`(
        _ byte: String
    ) async throws {
        try await Self.with({ ["jsonrpc+tcp+tls://127.0.0.1:PORT,\($0.options)"] }) { gateway, tls in
            let words = ["node", "-e", Self.crowd, "\(gateway.port)", tls.file("ca.pem"), byte]
            let outcome = try gateway.project.run(words)
            #expect((Int(outcome.output.dropLast()) ?? 0) >= 99, "\(outcome)")
        }
    }

    @Test func `says which file it cannot use, and listens when it can`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let tls = try TestCertificates(project)
            let port = try FreePort.find()
            try project.run(["mv", tls.file("server.key"), tls.file("later.key")])
            let gateway = try project.start([
                "sh", "-c", "exec \"$@\" 2>&1", "sh", TestPaths.pmGateway, "--daemon", project.socket, "--listen",
                "jsonrpc+tcp+tls://127.0.0.1:\(port),\(tls.options)",
            ])
            #expect(gateway.waitForOutput("cannot read \(tls.file("server.key")): No such file or directory"))
            try project.run(["mv", tls.file("later.key"), tls.file("server.key")])
            #expect(gateway.waitForOutput("listening at"))
            let heard = try TLSClient.ask(tls, at: ("lines", "\(port)"), Self.call)
            #expect(heard.hasSuffix(Self.answer))
            gateway.signal(SIGTERM)
            #expect(gateway.wait().code == 0)
        }
    }
}
