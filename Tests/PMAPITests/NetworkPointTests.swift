import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMAPI

/// Who may use a connection point, and what for, as the configuration says.
@Suite struct NetworkPointTests {
    private static func point(_ url: String, _ options: JSONObject) throws -> NetworkPoint {
        try NetworkPoint(ConnectionPoint(url: url, options: JSONValue.object(options).text), in: "/srv")
    }

    private static let tls: JSONObject = ["key": "k", "cert": "c", "ca": "a"]

    private static func tls(_ more: JSONObject) -> JSONObject {
        var options = tls
        for (name, value) in more { options[name] = value }
        return options
    }

    @Test func `tokens and clients have rights of their own, or those of the point`() throws {
        let digits = String(repeating: "aB", count: 32)
        let point = try Self.point(
            "https://0.0.0.0",
            Self.tls([
                "token": "t", "tokens": ["t2", ["file": "/t3", "allow": ["shop.get"]]], "crl": "r",
                "clients": ["alice", .string("sha256:" + digits), ["name": "bob", "allow": ["db"]]],
                "allow": ["status"],
            ]))
        #expect(point.tokens.map(\.path) == ["/srv/t", "/srv/t2", "/t3"])
        #expect(point.tokens.map { $0.allow?.patterns } == [nil, nil, ["shop.get"]])
        #expect(
            point.clients.map(\.identity) == [.name("alice"), .fingerprint(digits.lowercased()), .name("bob")])
        #expect(point.clients.map { $0.allow?.patterns } == [nil, nil, ["db"]])
        #expect(point.allow?.patterns == ["status"] && point.secrets?.revocations == "/srv/r")
        #expect(point.proof == .secret)
    }

    @Test func `a client is the one of a name, byte for byte, as for the points of services`() throws {
        let file = try JSONValue(parsing: Files.read(TestPaths.fixture("web/clients.json"), limit: 1 << 16))
        let shown = file["certificate"]
        let alternatives = (shown?["altNames"]?.array ?? []).compactMap { name -> String? in
            name.string.map { String($0.drop { $0 != ":" }.dropFirst()) }
        }
        let names = [shown?["commonName"]?.string ?? ""] + alternatives
        let certificate = ClientSession.ClientCertificate(fingerprint: "", names: names)
        let vectors = try #require(file["vectors"]?.array)
        for vector in vectors {
            let client = try #require(vector["client"])
            let point = try Self.point("https://0.0.0.0", Self.tls(["clients": [client]]))
            #expect(point.clients.contains { $0.matches(certificate) } == vector["isTaken"]?.bool, "\(client.text)")
        }
    }

    @Test func `a point is the same after its way over a command line`() throws {
        let options: [JSONObject] = [
            Self.tls([
                "tokens": ["/t,2%", ["file": "/t", "allow": ["a", "b.c"]]],
                "clients": [["name": "b,{", "allow": ["*"]]],
                "allow": ["x", "y.*"], "origins": ["https://a.example"], "hosts": ["b.example"],
            ]),
            Self.tls(["clients": "a,sha256:\(String(repeating: "0", count: 64))", "crl": "/r", "trust": "network"]),
        ]
        for options in options {
            let point = try Self.point("wss://127.0.0.1:9", options)
            #expect(try NetworkPoint(word: point.word, in: "/other") == point, "\(point.word)")
        }
    }

    @Test func `what limits clients and cannot be understood is refused, not passed over`() {
        let cases: [(JSONObject, String)] = [
            (["allow": []], "of https://127.0.0.1 is empty"), (["clients": []], "is empty"),
            (["tokens": []], "is empty"), (["token": ""], "is empty"), (["ca": ""], "is empty"),
            (["allow": ["a", 1]], "must be a list of patterns"),
            (["allow": "a b"], "must be a list of patterns"), (["allow": true], "must be a list of patterns"),
            (["clients": [["nam": "a"]]], "must be a text, or an object"),
            (["clients": [["name": "a", "alow": []]]], "must be a text"),
            (["clients": ["sha256:12"]], "is not a fingerprint"),
            (["clients": [["fingerprint": "xyz"]]], "is not a fingerprint"),
            (["clients": [["name": "a", "fingerprint": "b"]]], "must be a text, or an object"),
            (["tokens": [[:]]], "must be a text"),
            (["tokens": [["file": "t", "allow": [""]]]], "must be a list of patterns"),
        ]
        for (options, reason) in cases {
            do {
                _ = try Self.point("https://127.0.0.1", Self.tls(options))
                Issue.record("\(options) is taken")
            } catch {
                #expect("\(error)".contains(reason), "\(options): \(error)")
            }
        }
        for options: JSONObject in [["clients": ["a"]], ["crl": "r"]] {
            #expect(throws: APIError.self) { _ = try Self.point("http://127.0.0.1", options) }
        }
        #expect(throws: APIError.self) {
            _ = try Self.point("https://127.0.0.1", ["key": "k", "cert": "c", "clients": ["a"]])
        }
    }

    @Test func `what a command line does not repeat goes on to limit clients`() throws {
        var request = Connect(name: "pm")
        request.transports = ["http"]
        request.options = ["port": "80"]
        let before = ConnectionPoint(
            url: "http://127.0.0.1:80", options: #"{"allow":["shop"],"tokens":["/t"],"hosts":["a.example"]}"#)
        let kept = try ConnectionMap(ofDaemon: request, socketURL: "jsonrpc+unix:///s", before: [before], in: "/srv")
        let point = try NetworkPoint(#require(kept.points.last), in: "/srv")
        #expect(point.allow?.patterns == ["shop"] && point.tokens.map(\.path) == ["/t"] && point.hosts == ["a.example"])
        request.options["allow"] = "db.get,status"
        let changed = try ConnectionMap(ofDaemon: request, socketURL: "jsonrpc+unix:///s", before: [before], in: "/srv")
        #expect(try NetworkPoint(#require(changed.points.last), in: "/srv").allow?.patterns == ["db.get", "status"])
    }
}
