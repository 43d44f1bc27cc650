import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// WebSocket as RFC 6455 has it, on sockets. The cases are of the kind of Autobahn's: framing, pings, reserved bits and
/// kinds, fragments, UTF-8, goodbyes, limits.
@Suite(.serialized) struct `A WebSocket of pm-gateway` {
    private typealias Head = WebSocketClient.Head
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"raw.echo","params":["ä"]}"#

    private static func with(
        _ options: [String] = [], point: String = "ws://127.0.0.1:PORT",
        _ body: (TestGateway) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRawService()
            try project.startServices("raw")
            try TestGateway.with(project, [point], options, body)
        }
    }

    private static func isServed(_ client: WebSocketClient) -> Bool {
        client.send(text: call)
        return client.message() == #"{"id":1,"result":"ä","jsonrpc":"2.0"}"#
    }

    @Test func `carries a message in a message, whatever its line ends`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            #expect(Self.isServed(client))
            client.send(text: Self.call.replacing(",", with: ",\r\n  ") + "\n")
            #expect(client.message() == #"{"id":1,"result":"ä","jsonrpc":"2.0"}"#)
            client.send(text: "[\(Self.call),\(Self.call)]")
            #expect(client.message() != nil && client.message() != nil)
            client.send(text: "no JSON")
            #expect(client.message()?.contains("-32700") == true)
            #expect(Self.isServed(client))
        }
    }

    @Test func `carries messages of every length`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            for size in [0, 1, 124, 125, 126, 127, 65_000, 65_535, 65_536, 70_000, 1 << 20] {
                let text = String(repeating: "x", count: size)
                client.send(text: #"{"jsonrpc":"2.0","id":1,"method":"raw.echo","params":["\#(text)"]}"#)
                #expect(client.message() == #"{"id":1,"result":"\#(text)","jsonrpc":"2.0"}"#, "\(size)")
            }
            // The same, announced in more bytes than needed, and written a byte at a time.
            for width in [2, 8] {
                for byte in WebSocketClient.bytes(Head(first: 0x81, lengthBytes: width), Array(Self.call.utf8)) {
                    client.wire.send([byte])
                }
                #expect(client.message() == #"{"id":1,"result":"ä","jsonrpc":"2.0"}"#)
            }
        }
    }

    @Test func `puts fragments together, with control frames between them`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            let bytes = Array(Self.call.utf8)
            // A letter may be parted, and frames may be empty.
            let cut = try #require(bytes.firstIndex(of: 0xC3)) + 1
            client.send(Head(first: 0x01))
            client.send(Head(first: 0x00), Array(bytes[..<cut]))
            client.send(Head(first: 0x89), [1, 2, 3])
            client.send(Head(first: 0x8A), [9])
            client.send(Head(first: 0x00), Array(bytes[cut...]))
            #expect(client.frame() == .init(first: 0x8A, payload: [1, 2, 3]))
            client.send(Head(first: 0x80))
            #expect(client.message() == #"{"id":1,"result":"ä","jsonrpc":"2.0"}"#)
            // A frame for each byte.
            for (place, byte) in bytes.enumerated() {
                let isLast: UInt8 = place == bytes.count - 1 ? 0x80 : 0
                client.send(Head(first: isLast | (place == 0 ? 1 : 0)), [byte])
            }
            #expect(client.message() == #"{"id":1,"result":"ä","jsonrpc":"2.0"}"#)
        }
    }

    @Test func `carries the first and last letters of every length`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            let letters: [UInt32] = [
                0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFDD0, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000,
                0x1FFFE,
                0x10FFFE, 0x10FFFF,
            ]
            let text = String(String.UnicodeScalarView(letters.compactMap(Unicode.Scalar.init)))
            let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":"raw.echo","params":["\#(text)"]}"#.utf8)
            let expected = #"{"id":1,"result":"\#(text)","jsonrpc":"2.0"}"#
            client.send(Head(first: 0x81), bytes)
            #expect(client.message()?.utf8.elementsEqual(expected.utf8) == true)
            for size in [1, 2, 3, 7] {
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let end = min(start + size, bytes.count)
                    let first: UInt8 = (end == bytes.count ? 0x80 : 0) | (start == 0 ? 1 : 0)
                    client.send(Head(first: first), Array(bytes[start..<end]))
                }
                #expect(client.message()?.utf8.elementsEqual(expected.utf8) == true, "\(size)")
            }
        }
    }

    @Test func `agrees to no extension and no subprotocol, and then takes no compressed message`() async throws {
        try await Self.with { gateway in
            for header in [
                "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover, x-webkit-deflate-frame",
                "Sec-WebSocket-Protocol: chat, superchat",
            ] {
                let raw = try gateway.client()
                raw.send(WebSocketClient.handshake([header]))
                let answer = raw.receive(upTo: "\r\n\r\n")?.lowercased()
                #expect(answer?.hasPrefix("http/1.1 101") == true, "\(header)")
                #expect(answer?.contains("sec-websocket-extensions") == false && answer?.contains("protocol:") == false)
                let client = try WebSocketClient(gateway, [header])
                #expect(Self.isServed(client))
                // "Hello" as RFC 7692, section 7.2.3.1, has it.
                client.send(Head(first: 0xC1), [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00])
                #expect(client.goodbye() == 1002, "\(header)")
            }
        }
    }

    @Test func `takes frames of nothing without keeping anything`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            client.send(Head(first: 0x01), Array(Self.call.utf8))
            let idle = try gateway.project.memory(of: gateway.processID)
            let nothing = Array([[UInt8]](repeating: WebSocketClient.bytes(Head(first: 0x00)), count: 10_000).joined())
            for _ in 1...50 { client.wire.send(nothing) }
            client.send(Head(first: 0x80))
            #expect(client.message() == #"{"id":1,"result":"ä","jsonrpc":"2.0"}"#)
            #expect(try gateway.project.memory(of: gateway.processID) - idle < 8 << 10)
        }
    }

    @Test func `answers pings with what they hold, in order`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            let payloads: [[UInt8]] = [[], [0], [0xFF, 0xFE, 0x00], [UInt8](repeating: 0x2A, count: 125)]
            for payload in payloads + payloads { client.send(Head(first: 0x89), payload) }
            for payload in payloads + payloads {
                #expect(client.frame() == .init(first: 0x8A, payload: payload))
            }
            // Pongs that nobody asked for mean nothing.
            client.send(Head(first: 0x8A), [1])
            #expect(Self.isServed(client))
        }
    }

    /// What breaks the protocol, and the code of the goodbye.
    private static let breaches: [(String, [UInt8], Int)] =
        [
            ("not masked", WebSocketClient.bytes(Head(first: 0x81, isMasked: false), Array(call.utf8)), 1002),
            ("binary", WebSocketClient.bytes(Head(first: 0x82), [1]), 1003),
            ("continuation of nothing", WebSocketClient.bytes(Head(first: 0x80), [1]), 1002),
            ("part of nothing", WebSocketClient.bytes(Head(first: 0x00), [1]), 1002),
            (
                "text within text",
                WebSocketClient.bytes(Head(first: 0x01), [65]) + WebSocketClient.bytes(Head(first: 0x81), [65]), 1002
            ),
            ("ping in parts", WebSocketClient.bytes(Head(first: 0x09), [1]), 1002),
            ("goodbye in parts", WebSocketClient.bytes(Head(first: 0x08), [3, 232]), 1002),
            ("long ping", WebSocketClient.bytes(Head(first: 0x89), [UInt8](repeating: 1, count: 126)), 1002),
            ("long goodbye", WebSocketClient.bytes(Head(first: 0x88), [UInt8](repeating: 3, count: 126)), 1002),
            ("bad text", WebSocketClient.bytes(Head(first: 0x81), [0xC3, 0x28]), 1007),
            ("surrogate", WebSocketClient.bytes(Head(first: 0x81), [0xED, 0xA0, 0x80]), 1007),
            ("overlong", WebSocketClient.bytes(Head(first: 0x81), [0xC0, 0xAF]), 1007),
            ("beyond Unicode", WebSocketClient.bytes(Head(first: 0x81), [0xF4, 0x90, 0x80, 0x80]), 1007),
            ("torn letter", WebSocketClient.bytes(Head(first: 0x81), [0x22, 0xE2, 0x82]), 1007),
            (
                "bad text in parts",
                WebSocketClient.bytes(Head(first: 0x01), [0x41]) + WebSocketClient.bytes(Head(first: 0x80), [0xFF]),
                1007
            ),
        ]
        + [0x10, 0x20, 0x40, 0x70].map { ("reserved \($0)", WebSocketClient.bytes(Head(first: 0x81 | $0), [65]), 1002) }
        + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map {
            ("kind \($0)", WebSocketClient.bytes(Head(first: 0x80 | $0), [65]), 1002)
        }

    @Test func `ends with the reason when the protocol is broken, and others are not disturbed`() async throws {
        try await Self.with { gateway in
            let other = try WebSocketClient(gateway)
            for (name, bytes, code) in Self.breaches {
                let client = try WebSocketClient(gateway)
                client.wire.send(bytes)
                #expect(client.goodbye() == code, "\(name)")
            }
            #expect(Self.isServed(other))
        }
    }

    @Test func `says goodbye as it is said goodbye`() async throws {
        try await Self.with { gateway in
            let cases: [([UInt8], Int)] =
                [([], 0), ([3], 1002), ([3, 232, 0xFF], 1007), ([3, 232] + Array("bye ä".utf8), 1000)]
                + [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
                .map { ([UInt8($0 >> 8), UInt8($0 & 255)], $0) }
                + [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]
                .map { ([UInt8($0 >> 8), UInt8($0 & 255)], 1002) }
            for (payload, code) in cases {
                let client = try WebSocketClient(gateway)
                client.send(Head(first: 0x88), payload)
                // Whatever comes behind a goodbye is for nobody.
                client.send(Head(first: 0x89), [1])
                #expect(client.goodbye() == code, "\(payload)")
            }
        }
    }

    @Test func `refuses what is too long when it is announced, and allocates nothing for it`() async throws {
        try await Self.with(["--message-limit", "65536"]) { gateway in
            let idle = try gateway.project.memory(of: gateway.processID)
            for length in [65_537, 1 << 30, 1 << 32, UInt64(Int64.max), UInt64.max] {
                let client = try WebSocketClient(gateway)
                // Only the head of the frame.
                client.send(Head(first: 0x81, length: length, lengthBytes: 8))
                #expect(client.goodbye() == 1009, "\(length)")
            }
            let client = try WebSocketClient(gateway)
            let half = [UInt8](repeating: 65, count: 40_000)
            client.send(Head(first: 0x01), half)
            client.send(Head(first: 0x80), half)
            #expect(client.goodbye() == 1009)
            #expect(try gateway.project.memory(of: gateway.processID) - idle < 8 << 10)
        }
    }

    @Test func `is refused to pages of other sites, and to handshakes that are none`() async throws {
        try await Self.with { gateway in
            let cases: [([String], Int)] = [
                (["Origin: http://evil.example"], 403), (["Origin: null"], 403), (["Host: evil.example"], 403),
                (["Sec-WebSocket-Version: 8"], 426), (["Sec-WebSocket-Key: c2hvcnQ="], 400),
                (["Sec-WebSocket-Key:"], 400), (["Sec-WebSocket-Version:"], 400), (["Upgrade:"], 426),
                (["Connection: close"], 426), (["Host:"], 400), (["Content-Length: 1"], 400),
            ]
            for (headers, status) in cases {
                let client = try gateway.client()
                client.send(WebSocketClient.handshake(headers))
                #expect(client.receive(upTo: "\r\n")?.hasPrefix("HTTP/1.1 \(status)") == true, "\(headers)")
            }
            let own = try WebSocketClient(gateway, ["Host: localhost:1", "Origin: http://localhost:1"])
            #expect(Self.isServed(own))
            // What follows the handshake in the same packet is not lost.
            let quick = try gateway.client()
            quick.send(
                Array(WebSocketClient.handshake().utf8) + WebSocketClient.bytes(Head(first: 0x89), [7]))
            #expect(quick.receive(upTo: "\r\n\r\n") != nil)
            #expect(quick.receive(3) == [0x8A, 1, 7])
        }
    }

    @Test func `asks for a token in a header or in the URL`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRawService()
            try project.startServices("raw")
            try project.writeSecret("token", "0123456789abcdef\n")
            try TestGateway.with(project, ["ws://0.0.0.0:PORT,token=\(project.directory)/token"]) { gateway in
                #expect(Self.isServed(try WebSocketClient(gateway, ["Authorization: Bearer 0123456789abcdef"])))
                #expect(Self.isServed(try WebSocketClient(gateway, path: "/?access_token=0123456789abcdef")))
                for (headers, path) in [([], "/"), (["Authorization: Bearer no"], "/"), ([], "/?access_token=no")] {
                    let client = try gateway.client()
                    client.send(WebSocketClient.handshake(headers, path: path))
                    #expect(client.receive(upTo: "\r\n")?.hasPrefix("HTTP/1.1 401") == true, "\(headers) \(path)")
                }
            }
        }
    }

    @Test func `ends as going away when the daemon goes`() async throws {
        try await Self.with { gateway in
            let client = try WebSocketClient(gateway)
            #expect(Self.isServed(client))
            kill(try gateway.project.daemonID(), SIGKILL)
            #expect(client.goodbye() == 1001)
            #expect(Self.isServed(try WebSocketClient(gateway)))
        }
    }

    @Test func `lets pings wait for who takes no answers`() async throws {
        try await Self.with { gateway in
            let idle = try gateway.project.memory(of: gateway.processID)
            let client = try WebSocketClient(gateway)
            client.wire.timeoutSeconds = 1
            let pings = [[UInt8]](
                repeating: WebSocketClient.bytes(Head(first: 0x89), [UInt8](repeating: 1, count: 125)), count: 1000)
            // Until neither side's sockets take more: then nothing is read, and so nothing is answered.
            let flood = Array(pings.joined())
            let isTaken = (0..<(64 << 20) / flood.count).allSatisfy { _ in client.wire.send(flood) }
            #expect(!isTaken, "64 MB of pings are taken from a client that reads none of the answers")
            #expect(try gateway.project.memory(of: gateway.processID) - idle < 8 << 10)
        }
    }
}
