import NIOHTTP1
import PMAPI
import PMModel
import PMTestSupport
import Testing

@testable import PMGateway

/// Which requests a place of the web takes.
@Suite struct WebGateTests {
    private static func gate(_ word: String) throws -> WebAccess { WebAccess(try NetworkPoint(word: word, in: "/")) }

    private static func head(_ headers: [(String, String)], version: HTTPVersion = .http1_1) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: .GET, uri: "/a?access_token=t", headers: HTTPHeaders(headers))
    }

    private static func status(
        _ gate: WebAccess, _ headers: [(String, String)], version: HTTPVersion = .http1_1, isClientKnown: Bool = false
    ) -> Int {
        do throws(Refusal) {
            try gate.check(head(headers, version: version), isClientKnown: isClientKnown)
            return 200
        } catch {
            return Int(error.status.code)
        }
    }

    private typealias Case = (headers: [(String, String)], status: Int)

    private static let onLoopback: [Case] = [
        ([("Host", "localhost:80")], 200), ([("Host", "LOCALHOST")], 200), ([("Host", "127.0.0.1:1")], 200),
        ([("Host", "[::1]:9")], 200), ([("Host", "shop.test:80")], 200), ([("Host", "evil.example")], 403),
        ([("Host", "localhost.evil.example")], 403), ([("Host", "127.0.0.1.evil.example")], 403),
        ([], 400), ([("Host", "")], 400), ([("Host", "localhost"), ("Host", "localhost")], 400),
        ([("Host", "localhost:80"), ("Origin", "http://localhost:80")], 200),
        ([("Host", "localhost:80"), ("Origin", "http://localhost:81")], 403),
        ([("Host", "localhost:80"), ("Origin", "http://localhost")], 403),
        ([("Host", "localhost"), ("Origin", "null")], 403),
        ([("Host", "localhost"), ("Origin", "https://App.example")], 200),
        ([("Host", "localhost"), ("Origin", "http://app.example")], 403),
        ([("Host", "localhost"), ("Origin", "http://localhost"), ("Origin", "http://localhost")], 403),
        ([("Host", "localhost"), ("Sec-Fetch-Site", "cross-site")], 403),
        ([("Host", "localhost"), ("Sec-Fetch-Site", "same-site")], 403),
        ([("Host", "localhost"), ("Sec-Fetch-Site", "same-origin")], 200),
        ([("Host", "localhost"), ("Sec-Fetch-Site", "none")], 200),
        ([("Host", "localhost"), ("Transfer-Encoding", "chunked"), ("Content-Length", "1")], 400),
        ([("Host", "localhost"), ("Transfer-Encoding", "gzip, chunked")], 400),
        ([("Host", "localhost"), ("Transfer-Encoding", "identity")], 400),
        ([("Host", "localhost"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], 400),
        ([("Host", "localhost"), ("Transfer-Encoding", "chunked")], 200),
        ([("Host", "localhost"), ("Content-Length", "1"), ("Content-Length", "1")], 400),
        ([("Host", "localhost"), ("Content-Length", "+1")], 400),
        ([("Host", "localhost"), ("X", "a\r\n b")], 400), ([("Host", "localhost"), ("X", "a\u{0}b")], 400),
        ([("Host", "localhost"), ("X y", "a")], 400), ([("Host", "localhost"), ("X", "a\tb é")], 200),
    ]

    @Test func `on loopback names and origins are checked`() throws {
        let gate = try Self.gate("http://127.0.0.1:80,origins=https://app.example,hosts=Shop.test")
        for (headers, status) in Self.onLoopback { #expect(Self.status(gate, headers) == status, "\(headers)") }
    }

    @Test func `chunked is nothing for HTTP 1 0, and other versions are not spoken`() throws {
        let gate = try Self.gate("http://127.0.0.1:80")
        let host = [("Host", "localhost")]
        #expect(Self.status(gate, host, version: .http1_0) == 200)
        #expect(Self.status(gate, host + [("Transfer-Encoding", "chunked")], version: .http1_0) == 400)
        #expect(Self.status(gate, host, version: .init(major: 2, minor: 0)) == 505)
    }

    @Test func `beyond loopback any name is good, unless names are given`() throws {
        let secret = "key=/k,cert=/c,ca=/a"
        let any = try Self.gate("https://0.0.0.0:443,\(secret)")
        #expect(Self.status(any, [("Host", "pm.example")], isClientKnown: true) == 200)
        let named = try Self.gate("https://0.0.0.0:443,\(secret),hosts=pm.example")
        #expect(Self.status(named, [("Host", "pm.example:443")], isClientKnown: true) == 200)
        #expect(Self.status(named, [("Host", "other.example")], isClientKnown: true) == 403)
        #expect(Self.status(any, [("Host", "pm.example")]) == 401)
    }

    /// The head of a request, and the token that the daemon is asked about; nil: the gate refuses it.
    private static let withToken: [(headers: [(String, String)], token: String?)] = [
        ([("Authorization", "Bearer 0123456789abcdef")], "0123456789abcdef"),
        ([("Authorization", "bearer  0123456789abcdef ")], "0123456789abcdef"),
        ([("Authorization", "Bearer other")], "other"),
        ([("Authorization", "Basic 0123456789abcdef")], nil), ([("Authorization", "Bearer")], nil), ([], nil),
        ([("Authorization", "Bearer 0123456789abcdef"), ("Authorization", "Bearer x")], nil),
    ]

    @Test func `a token is asked for, or a certificate`() throws {
        let gate = try Self.gate("http://127.0.0.1:80,token=/t")
        for (headers, token) in Self.withToken {
            let all = [("Host", "localhost")] + headers
            #expect(Self.status(gate, all) == (token == nil ? 401 : 200), "\(headers)")
            #expect(WebAccess.token(of: Self.head(all)) == token, "\(headers)")
            #expect(Self.status(gate, all, isClientKnown: true) == 200)
        }
    }

    @Test func `a token in the URL is for WebSockets alone`() throws {
        let gate = try Self.gate("ws://127.0.0.1:80,token=/t")
        var head = Self.head([
            ("Host", "localhost"), ("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"),
        ])
        head.uri = "/?a=b&access_token=0123456789%61bcdef"
        try gate.check(head, isClientKnown: false)
        #expect(WebAccess.token(of: head) == "0123456789abcdef")
        head.headers.remove(name: "Upgrade")
        #expect(throws: Refusal.self) { try gate.check(head, isClientKnown: false) }
        #expect(WebAccess.token(of: head) == nil)
    }
}
