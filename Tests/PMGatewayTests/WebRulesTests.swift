import JSON
import NIOHTTP1
import PMAPI
import PMSystem
import PMTestSupport
import Testing

@testable import PMGateway

/// The rules of who may ask, as vectors that the host of Node services runs as well (Tests/Fixtures/web).
@Suite struct WebRulesTests {
    private static func rules() throws -> JSONValue {
        try JSONValue(parsing: Files.read(TestPaths.fixture("web/rules.json"), limit: 1 << 20))
    }

    /// The gates of the points, and the tokens that the daemon finds right.
    private static func gates(_ rules: JSONValue) throws -> [String: (gate: WebAccess, token: String?)] {
        var gates: [String: (gate: WebAccess, token: String?)] = [:]
        for (name, point) in rules["points"]?.object ?? JSONObject() where point["only"]?.string != "host" {
            var word = try #require(point["url"]?.string)
            for (option, value) in point["options"]?.object ?? JSONObject() {
                for text in value.array?.compactMap(\.string) ?? [value.string ?? ""] { word += ",\(option)=\(text)" }
            }
            let gate = WebAccess(try NetworkPoint(word: word.replacing("token=", with: "token=/"), in: "/"))
            gates[name] = (gate, point["options"]?["token"]?.string)
        }
        return gates
    }

    private static func head(_ vector: JSONValue) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        for field in vector["headers"]?.array ?? [] {
            headers.add(name: field[0]?.string ?? "", value: field[1]?.string ?? "")
        }
        var target = vector["target"]?.string ?? ""
        let size = vector["pad"]?["to"]?.int ?? 0
        switch vector["pad"]?["of"]?.string {
        case "target": target += String(repeating: "a", count: size - target.utf8.count)
        case "fields": for number in headers.count..<size { headers.add(name: "X-\(number)", value: "a") }
        default: break  // the parser refuses a head that is too long
        }
        let version = (vector["version"]?.string ?? "").split(separator: ".").compactMap { Int($0) }
        return HTTPRequestHead(
            version: HTTPVersion(major: version[0], minor: version[1]),
            method: HTTPMethod(rawValue: vector["method"]?.string ?? ""), uri: target, headers: headers)
    }

    /// What the gate says, and after it the daemon of the token.
    private static func check(
        _ place: (gate: WebAccess, token: String?), _ head: HTTPRequestHead, isClientKnown: Bool
    ) throws(Refusal) {
        try place.gate.check(head, isClientKnown: isClientKnown)
        guard let token = place.token, !isClientKnown, !place.gate.crossOrigin.isPreflight(head) else { return }
        guard WebAccess.token(of: head) == token else { throw .tokenNeeded }
    }

    @Test func `are kept by the gate`() throws {
        let rules = try Self.rules()
        // These refuse a head; the others look at what it asks for, at the body, or at the WebSocket.
        let ofHead: Set<Int> = [401, 403, 414, 505]
        let gates = try Self.gates(rules)
        var count = 0
        for vector in rules["vectors"]?.array ?? [] where vector["only"]?.string != "host" {
            guard let place = gates[vector["point"]?.string ?? ""], vector["pad"]?["of"]?.string != "head" else {
                continue
            }
            let expected = try #require(vector["status"]?.int)
            count += 1
            do throws(Refusal) {
                let isKnown = vector["point"]?.string?.hasPrefix("secure") == true
                try Self.check(place, Self.head(vector), isClientKnown: isKnown)
                #expect(!ofHead.contains(expected), "\(vector.text) is taken")
            } catch {
                #expect(Int(error.status.code) == expected, "\(vector.text): \(error.status.code) \(error.message)")
            }
        }
        #expect(count > 150)
    }

    private static func headers(_ vector: JSONValue) -> HTTPHeaders {
        HTTPHeaders((vector["headers"]?.array ?? []).map { ($0[0]?.string ?? "", $0[1]?.string ?? "") })
    }

    @Test func `join fields, and keep or make the id of a request`() throws {
        let rules = try Self.rules()
        for vector in rules["joined"]?.array ?? [] {
            let joined = RouteInputs.joined(Self.headers(vector))
            let expected = (vector["is"]?.object ?? JSONObject()).map { ($0.key, $0.value.string ?? "") }
            #expect(joined == Dictionary(uniqueKeysWithValues: expected), "\(vector.text)")
        }
        for vector in rules["requestIDs"]?.array ?? [] {
            #expect(RequestID.sent(Self.headers(vector)) == vector["id"]?.string, "\(vector.text)")
        }
        #expect(rules["joined"]?.array?.isEmpty == false && rules["requestIDs"]?.array?.isEmpty == false)
        var random = Zeros()
        #expect(RequestID([:], using: &random).text == String(repeating: "0", count: 32))
    }

    /// Randomness that is none.
    private struct Zeros: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0 }
    }
}
