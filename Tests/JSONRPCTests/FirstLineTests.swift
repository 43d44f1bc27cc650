import JSONRPC
import PMTestSupport
import Testing

/// Which connections speak JSON-RPC, by their first line.
@Suite struct FirstLineTests {
    private static let limit = 1 << 10

    /// What is decided about bytes that arrive in these pieces.
    private static func verdict(_ pieces: [[UInt8]], isOver: Bool = false) -> FirstLine.Verdict {
        var line = FirstLine(place: "Here", limit: limit)
        for piece in pieces {
            let verdict = line.received(piece)
            if verdict != .wait { return verdict }
        }
        return isOver ? line.finish() : .wait
    }

    private static func verdict(_ text: String) -> FirstLine.Verdict { verdict([Array(text.utf8)]) }

    private static let good = [
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n",
        "  {\"method\":\"a\",\"jsonrpc\":\"2.0\"} \r\nGET / HTTP/1.1\r\n",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"},7]\n",
        "{\"jsonrpc\":\"2.0\",\"id\":\"6e5f\",\"method\":\"$metadata\",\"params\":{\"params\":true}}\n{",
    ]
    private static let http = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "get /\n",
        "OPTIONS * HTTP/1.1\r\n", "VERSION-CONTROL /a HTTP/1.1\r\n",
    ]
    private static let other = [
        "\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n", "\r\n", "{}\n", "[]\n", "[7]\n", "{\"a\":1}\n",
        "{\n", "  \n",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}\n", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n",
        "hello\n", "7\n",
        "\"{}\"\n", "GET/\n", " GET / HTTP/1.1\r\n", "\u{FEFF}{\"jsonrpc\":\"2.0\",\"method\":\"a\"}\n", "\u{0}\n",
        "--boundary\r\n",
        String(repeating: "A", count: 40), "{\"jsonrpc\":\"2.0\",\"method\":\"a\"} x\n",
    ]
    private static let tls: [[UInt8]] = [[0x16, 3, 1, 2, 0, 1, 0], [0x16, 3, 3]]

    @Test func `a message or a list of them is let in`() {
        for text in Self.good { #expect(Self.verdict(text) == .accept, "\(text)") }
    }

    @Test func `others are told in their own protocol what is spoken here`() throws {
        for text in Self.http {
            guard case .refuse(let answer) = Self.verdict(text) else { throw TestFailure(text) }
            let told = String(decoding: answer, as: UTF8.self)
            #expect(told.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && told.contains("\r\nConnection: close\r\n"))
            #expect(told.contains("it speaks JSON-RPC 2.0"))
        }
        for text in Self.other {
            guard case .refuse(let answer) = Self.verdict(text) else { throw TestFailure(text) }
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("{\"error\":{\"code\":-32600"), "\(text)")
        }
        for bytes in Self.tls { #expect(Self.verdict([bytes]) == .refuse([0x15, 3, 3, 0, 2, 2, 40])) }
    }

    @Test func `nothing is decided before the line is whole`() {
        #expect(Self.verdict("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}") == .wait)
        #expect(Self.verdict("POST") == .wait && Self.verdict([[0x16]]) == .wait && Self.verdict([[]]) == .wait)
    }

    @Test func `a last line needs no end, but must be whole`() {
        #expect(Self.verdict([Array("{\"jsonrpc\":\"2.0\",\"method\":\"a\"}".utf8)], isOver: true) == .accept)
        for text in ["", "{", "{\"jsonrpc\":\"2.0\"", "GET"] {
            guard case .refuse = Self.verdict([Array(text.utf8)], isOver: true) else {
                Issue.record("\(text) is let in")
                continue
            }
        }
    }

    @Test func `a line that is longer than may be is refused, however it comes`() {
        let long = Array("{\"jsonrpc\":\"2.0\",\"method\":\"".utf8) + [UInt8](repeating: 97, count: Self.limit)
        let whole = long + Array("\"}\n".utf8)
        let expected = FirstLine.Verdict.refuse(
            Stranger.other.answer("", "the first line of a connection may have at most 1024 bytes"))
        #expect(Self.verdict([long]) == expected && Self.verdict([whole]) == expected)
        #expect(Self.verdict(whole.map { [$0] }) == expected)
    }

    @Test func `every split of the bytes leads to the same`() {
        for text in Self.good + Self.http + Self.other { Self.checkSplits(Array(text.utf8)) }
        for bytes in Self.tls { Self.checkSplits(bytes) }
    }

    private static func checkSplits(_ bytes: [UInt8]) {
        let expected = verdict([bytes])
        #expect(verdict(bytes.map { [$0] }) == expected)
        for first in bytes.indices {
            let (head, tail) = (Array(bytes[..<first]), Array(bytes[first...]))
            #expect(verdict([head, tail]) == expected, "\(head)")
            let middle = tail.count / 2
            #expect(verdict([head, Array(tail[..<middle]), [], Array(tail[middle...])]) == expected, "\(head)")
        }
    }

    @Test func `whatever a browser can be made to send, nothing of it is let in`() {
        // A page chooses the target, some headers and the body; the line before them is HTTP's.
        var generator = SystemRandomNumberGenerator()
        let message = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"start\",\"params\":[\"x\"]}"
        let methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "x"]
        for _ in 0..<2_000 {
            let method = methods.randomElement(using: &generator) ?? "GET"
            let target = ["/", "/\(message)", "*", "/?\(message)"].randomElement(using: &generator) ?? "/"
            let text = "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n\(message)\n\(message)\n"
            guard case .refuse(let answer) = Self.verdict(text) else {
                Issue.record("\(text) is let in")
                continue
            }
            #expect(answer.starts(with: Array("HTTP/1.1 400 ".utf8)))
        }
    }
}
