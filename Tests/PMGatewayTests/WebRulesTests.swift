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

    private static func gates(_ rules: JSONValue, _ project: TestProject) throws -> [String: WebGate] {
        var gates: [String: WebGate] = [:]
        for (name, point) in rules["points"]?.object ?? JSONObject() where point["only"]?.string != "host" {
            var word = try #require(point["url"]?.string)
            var token: TokenFile?
            for (option, value) in point["options"]?.object ?? JSONObject() {
                if option == "token" {
                    try project.write("token", value.string ?? "")
                    token = try TokenFile(project.directory + "/token", GatewayLog())
                }
                for text in value.array?.compactMap(\.string) ?? [value.string ?? ""] { word += ",\(option)=\(text)" }
            }
            gates[name] = WebGate(try NetworkPoint(word: word.replacing("token=", with: "token=/"), in: "/"), token)
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

    @Test func `are kept by the gate`() async throws {
        let rules = try Self.rules()
        // These refuse a head; the others look at what it asks for, at the body, or at the WebSocket.
        let ofHead: Set<Int> = [401, 403, 414, 505]
        try await TestProject.with { project in
            let gates = try Self.gates(rules, project)
            var count = 0
            for vector in rules["vectors"]?.array ?? [] where vector["only"]?.string != "host" {
                guard let gate = gates[vector["point"]?.string ?? ""], vector["pad"]?["of"]?.string != "head" else {
                    continue
                }
                let expected = try #require(vector["status"]?.int)
                count += 1
                do throws(Refusal) {
                    try gate.check(
                        Self.head(vector), isClientKnown: vector["point"]?.string?.hasPrefix("secure") == true)
                    #expect(!ofHead.contains(expected), "\(vector.text) is taken")
                } catch {
                    #expect(Int(error.status.code) == expected, "\(vector.text): \(error.status.code) \(error.message)")
                }
            }
            #expect(count > 150)
        }
    }
}
