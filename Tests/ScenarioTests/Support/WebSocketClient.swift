import PMTestSupport

/// A bare client of a WebSocket, which sends whatever frames a test wants.
final class WebSocketClient {
    let wire: WireClient

    /// A frame as it came.
    struct Frame: Equatable {
        let first: UInt8
        let payload: [UInt8]

        var opcode: UInt8 { first & 0x0F }
        var isLast: Bool { first & 0x80 != 0 }
    }

    /// What the client writes before a frame's payload.
    struct Head {
        var first: UInt8
        var isMasked = true
        /// The length that is announced; nil: the real one.
        var length: UInt64?
        /// How many bytes the length takes in the frame: 0 (seven bits), 2 or 8; nil: as few as possible.
        var lengthBytes: Int?
    }

    /// Connects and shakes hands; throws the answer when it is not 101.
    init(_ gateway: TestGateway, port: UInt16? = nil, _ headers: [String] = [], path: String = "/") throws {
        wire = try WireClient(port: port ?? gateway.port)
        wire.send(Self.handshake(headers, path: path))
        guard let answer = wire.receive(upTo: "\r\n\r\n") else { throw TestFailure("no answer to the handshake") }
        // The example of RFC 6455, section 1.3.
        guard answer.hasPrefix("HTTP/1.1 101"), answer.lowercased().contains("s3pplmbitxaq9kygzzhzrbk+xoo=") else {
            throw TestFailure(answer)
        }
    }

    static func handshake(_ headers: [String] = [], path: String = "/") -> String {
        let usual = [
            "Host: localhost", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        let names = Set(headers.compactMap { $0.split(separator: ":").first?.lowercased() })
        let kept = usual.filter { !names.contains($0.split(separator: ":")[0].lowercased()) }
        // A header without a value takes the usual one out.
        let all = kept + headers.filter { !$0.hasSuffix(":") }
        return "GET \(path) HTTP/1.1\r\n" + all.joined(separator: "\r\n") + "\r\n\r\n"
    }

    @discardableResult
    func send(_ head: Head, _ payload: [UInt8] = []) -> Bool {
        wire.send(Self.bytes(head, payload))
    }

    static func bytes(_ head: Head, _ payload: [UInt8] = []) -> [UInt8] {
        let length = head.length ?? UInt64(payload.count)
        let width = head.lengthBytes ?? (length < 126 ? 0 : length < 65536 ? 2 : 8)
        let mask: UInt8 = head.isMasked ? 0x80 : 0
        var bytes = [head.first, mask | (width == 0 ? UInt8(length) : width == 2 ? 126 : 127)]
        for place in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: length >> (8 * UInt64(place)))) }
        guard head.isMasked else { return bytes + payload }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        return bytes + key + payload.enumerated().map { $0.element ^ key[$0.offset % 4] }
    }

    func send(text: String) { send(Head(first: 0x81), Array(text.utf8)) }

    /// The next frame; nil at the end of the connection.
    func frame() -> Frame? {
        guard let head = wire.receive(2), head[1] & 0x80 == 0 else { return nil }
        var length = Int(head[1])
        if length >= 126 {
            guard let bytes = wire.receive(length == 126 ? 2 : 8) else { return nil }
            length = bytes.reduce(0) { $0 << 8 | Int($1) }
        }
        return wire.receive(length).map { Frame(first: head[0], payload: $0) }
    }

    /// The next message of text, put together from its frames; nil when something else comes.
    func message() -> String? {
        var all: [UInt8] = []
        var isFirst = true
        while let frame = frame() {
            guard frame.opcode == (isFirst ? 1 : 0) else { return nil }
            isFirst = false
            all += frame.payload
            if frame.isLast { return String(validating: all, as: UTF8.self) }
        }
        return nil
    }

    /// The code of the goodbye that comes next, 0 for one without, nil when none comes or the connection does not end.
    func goodbye() -> Int? {
        guard let frame = frame(), frame.first == 0x88, wire.rest() == "" else { return nil }
        return frame.payload.count < 2 ? 0 : Int(frame.payload[0]) << 8 | Int(frame.payload[1])
    }
}
