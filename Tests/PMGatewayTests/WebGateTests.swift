import NIOHTTP1
import PMAPI
import PMModel
import PMTestSupport
import Testing

@testable import PMGateway

/// Which requests a place of the web takes.
@Suite struct WebGateTests {
    private static func gate(_ word: String, token: TokenFile? = nil) throws -> WebGate {
        WebGate(try NetworkPoint(word: word, in: "/"), token)
    }

    private static func head(_ headers: [(String, String)], version: HTTPVersion = .http1_1) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: .GET, uri: "/a?access_token=t", headers: HTTPHeaders(headers))
    }

    private static func status(
        _ gate: WebGate, _ headers: [(String, String)], version: HTTPVersion = .http1_1, isClientKnown: Bool = false
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

    private static let withToken: [Case] = [
        ([("Authorization", "Bearer 0123456789abcdef")], 200), ([("Authorization", "bearer  0123456789abcdef ")], 200),
        ([("Authorization", "Bearer 0123456789abcdeX")], 401), ([("Authorization", "Bearer 0123456789abcde")], 401),
        ([("Authorization", "Basic 0123456789abcdef")], 401), ([("Authorization", "Bearer")], 401), ([], 401),
        ([("Authorization", "Bearer 0123456789abcdef"), ("Authorization", "Bearer x")], 401),
    ]

    @Test func `a token is asked for, or a certificate`() async throws {
        try await TestProject.with { project in
            try project.write("token", " 0123456789abcdef\n")
            let token = try TokenFile(project.directory + "/token", GatewayLog())
            let gate = try Self.gate("http://127.0.0.1:80,token=/t", token: token)
            for (headers, status) in Self.withToken {
                let all = [("Host", "localhost")] + headers
                #expect(Self.status(gate, all) == status, "\(headers)")
                #expect(Self.status(gate, all, isClientKnown: true) == 200)
            }
        }
    }

    @Test func `a token in the URL is for WebSockets alone`() async throws {
        try await TestProject.with { project in
            try project.write("token", "0123456789abcdef")
            let token = try TokenFile(project.directory + "/token", GatewayLog())
            let gate = try Self.gate("ws://127.0.0.1:80,token=/t", token: token)
            var head = Self.head([
                ("Host", "localhost"), ("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"),
            ])
            head.uri = "/?a=b&access_token=0123456789%61bcdef"
            try gate.check(head, isClientKnown: false)
            head.headers.remove(name: "Upgrade")
            #expect(throws: Refusal.self) { try gate.check(head, isClientKnown: false) }
        }
    }

    @Test func `a token file is read again, and one that holds none lets nobody in`() async throws {
        try await TestProject.with { project in
            let path = project.directory + "/token"
            try project.write("token", "0123456789abcdef")
            let token = try TokenFile(path, GatewayLog())
            #expect(token.matches("0123456789abcdef"))
            try project.write("token", "another-token-of-ours")
            #expect(!token.matches("0123456789abcdef") && token.matches("another-token-of-ours"))
            try project.write("token", "")
            #expect(!token.matches("") && !token.matches("another-token-of-ours"))
            for text in ["short", "two words of a text", String(repeating: "a", count: 5000)] {
                try project.write("token", text)
                #expect(throws: TokenFile.Problem.self) { _ = try TokenFile(path, GatewayLog()) }
            }
        }
    }
}
