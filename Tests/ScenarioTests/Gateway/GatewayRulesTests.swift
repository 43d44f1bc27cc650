import JSON
import PMSystem
import PMTestSupport
import Testing

/// The rules of who may ask over HTTP and WebSocket (Tests/Fixtures/web), asked of the real gateway.
@Suite(.serialized) struct GatewayRulesTests {
    private static func request(_ vector: JSONValue) -> String {
        var target = vector["target"]?.string ?? ""
        var lines = (vector["headers"]?.array ?? []).map { "\($0[0]?.string ?? ""): \($0[1]?.string ?? "")" }
        let size = vector["pad"]?["to"]?.int ?? 0
        switch vector["pad"]?["of"]?.string {
        case "target": target += String(repeating: "a", count: size - target.utf8.count)
        case "fields": for number in lines.count..<size { lines.append("X-\(number): a") }
        case "head": lines.append("X-1: \(String(repeating: "a", count: size))")
        default: break  // nothing is added
        }
        var body = vector["body"]?.string
        if let count = vector["list"]?.int {
            let messages = (1...count).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"$metadata"}"# }
            body = "[\(messages.joined(separator: ","))]"
        }
        if let body, vector["raw"]?.bool != true { lines.append("Content-Length: \(body.utf8.count)") }
        let first = "\(vector["method"]?.string ?? "") \(target) HTTP/\(vector["version"]?.string ?? "")"
        return ([first] + lines).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// A field of an answer; nil when it is not there.
    private static func field(_ name: String, of answer: String) -> String? {
        answer.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    @Test func `are kept over connections`() async throws {
        let rules = try JSONValue(parsing: Files.read(TestPaths.fixture("web/rules.json"), limit: 1 << 20))
        try await TestProject.with { project in
            try project.startDaemon()
            try project.writeSecret("token", rules["points"]?["token"]?["options"]?["token"]?.string ?? "")
            let points = [
                ("loopback", "http://127.0.0.1:PORT"),
                ("named", "http://127.0.0.1:PORT,hosts=Shop.test,origins=https://app.example"),
                ("websocket", "ws://127.0.0.1:PORT"),
                ("token", "http://127.0.0.1:PORT,token=\(project.directory)/token,origins=https://app.example"),
            ]
            try TestGateway.with(project, points.map(\.1)) { gateway in
                var count = 0
                for vector in rules["vectors"]?.array ?? [] where vector["only"]?.string != "host" {
                    guard let place = points.firstIndex(where: { $0.0 == vector["point"]?.string }) else { continue }
                    let client = try WireClient(port: gateway.ports[place])
                    client.send(Self.request(vector))
                    let answer = client.receive(upTo: "\r\n\r\n") ?? "nothing"
                    let line = String(answer.prefix { $0 != "\r\n" })
                    let status = Int(line.dropFirst(9).prefix(3)) ?? 0
                    let expected = (vector["wire"]?.array ?? [vector["status"] ?? 0]).compactMap(\.int)
                    #expect(expected.contains(status), "\(vector.text): \(line)")
                    for (name, value) in vector["answer"]?.object ?? JSONObject() {
                        #expect(Self.field(name, of: answer) == value.string, "\(vector.text): \(answer)")
                    }
                    count += 1
                }
                #expect(count > 150)
            }
        }
    }
}
