import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What a connection of lines does with bytes of another protocol: pages of browsers, programs that fetch, TLS.
@Suite(.serialized) struct GatewayFirstLineTests {
    private static let point = "jsonrpc+tcp://127.0.0.1:PORT"
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"svc.echo","params":["a"]}"#
    private static let order = #"{"jsonrpc":"2.0","id":1,"method":"map","params":["evil","/bin/true"]}"# + "\n"

    private static func with(_ body: (TestGateway) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            try TestGateway.with(project, [point], ["--handshake-timeout", "2"], body)
        }
    }

    /// Whether an order of a page was carried out.
    private static func isTaken(_ project: TestProject) throws -> Bool {
        try project.client().call("ls")?["result"]?["evil"] != nil
    }

    private static func request(_ name: String, port: UInt16) throws -> [UInt8] {
        let bytes = try Files.read(TestPaths.fixture("browser/\(name)"), limit: 1 << 20)
        return Array(String(decoding: bytes, as: UTF8.self).replacing("PORT", with: "\(port)").utf8)
    }

    private static let requests = [
        "form-text-plain", "form-multipart", "fetch-no-cors", "rebinding", "image", "websocket", "preflight",
        "http2-preface",
        "header-only",
    ]

    @Test func `executes nothing of what a page makes a browser send, and says what is spoken there`() async throws {
        try await Self.with { gateway in
            for name in Self.requests {
                let bytes = try Self.request(name, port: gateway.port)
                let whole = try gateway.client()
                whole.send(bytes)
                let answer = whole.rest() ?? "nothing"
                #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(name): \(answer)")
                #expect(answer.contains("Connection: close\r\n") && answer.contains("it speaks JSON-RPC 2.0"))
                // Byte by byte it is the same.
                let pieces = try gateway.client()
                for byte in bytes.prefix(400) { pieces.send([byte]) }
                #expect(pieces.rest()?.hasPrefix("HTTP/1.1 400 ") == true, "\(name)")
                #expect(try !Self.isTaken(gateway.project), "\(name) was executed")
            }
        }
    }

    @Test func `ends a connection at a first line that is no message`() async throws {
        try await Self.with { gateway in
            for line in ["hello", "", "{}", "[]", "7", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ls\"}"] {
                let first = try gateway.client()
                first.send(line + "\n" + Self.order)
                #expect(first.rest()?.contains("\"error\"") == true, "\(line)")
                #expect(try !Self.isTaken(gateway.project), "what follows \(line) was executed")
            }
        }
    }

    @Test func `answers TLS by an alert, and silence by the end`() async throws {
        try await Self.with { gateway in
            let client = try gateway.client()
            client.send([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3])
            #expect(client.receive(7) == [0x15, 3, 3, 0, 2, 2, 40] && client.rest() == "")
            let silent = try gateway.client()
            let half = try gateway.client()
            half.send("{\"jsonrpc\":")
            #expect(silent.rest() == "" && half.rest() == "")
        }
    }

    @Test func `asks the daemon for nothing before a first line is whole`() async throws {
        try await Self.with { gateway in
            let before = descriptors(of: gateway.processID)
            let clients = try (0..<20).map { _ in try gateway.client() }
            for client in clients { client.send(String(Self.call.dropLast(1))) }
            // Each is one descriptor: none has a connection to the daemon.
            #expect(eventually { descriptors(of: gateway.processID) == before + 20 })
            for client in clients { client.send("}\n") }
            for client in clients { #expect(client.line()?.contains("\"result\":\"a\"") == true) }
            #expect(descriptors(of: gateway.processID) == before + 40)
        }
    }

    @Test func `the daemon's own socket answers HTTP in its own words, too`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let outcome = try project.run(
                [
                    "node", "-e",
                    """
                    const request = require('http').request({ socketPath: process.argv[1], method: 'POST', path: '/' }, (response) => {
                      let body = '';
                      response.on('data', (part) => (body += part));
                      response.on('end', () => console.log(response.statusCode + ' ' + body));
                    });
                    request.on('error', (error) => console.log(error.code));
                    request.end(process.argv[2]);
                    """, project.socket, Self.order,
                ])
            #expect(outcome.output.hasPrefix("400 This is the socket of pm: it speaks JSON-RPC 2.0"), "\(outcome)")
            #expect(try !Self.isTaken(project))
        }
    }
}
