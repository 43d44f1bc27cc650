import JSON
import PMSystem
import PMTestSupport
import Testing

/// Heads of requests and of answers, as pm-gateway reads and writes them.
@Suite(.serialized) struct GatewayHeadTests {
    private static func with(_ options: String = "", _ body: (TestGateway) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            try project.startServices("svc")
            try TestGateway.with(project, ["http://127.0.0.1:PORT\(options)"], [], body)
        }
    }

    private static func ask(
        _ gateway: TestGateway, _ first: String, _ fields: [String] = ["Host: localhost"]
    ) throws -> (head: [String], body: String) {
        let lines = [first, "Connection: close", "X-Request-Id: r-1"] + fields
        let answer = try gateway.exchange(lines.joined(separator: "\r\n") + "\r\n\r\n") ?? ""
        let end = try #require(answer.firstRange(of: "\r\n\r\n"), "\(first): \(answer)")
        let head = answer[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        return (head, String(answer[end.upperBound...]))
    }

    @Test func `HEAD has the head of GET and no body`() async throws {
        try await Self.with { gateway in
            for path in ["/text", "/raw", "/$metadata", "/openapi.json", "/nothing", "/fail/tea", "/none"] {
                let get = try Self.ask(gateway, "GET \(path) HTTP/1.1")
                let head = try Self.ask(gateway, "HEAD \(path) HTTP/1.1")
                #expect(get.head == head.head && head.body.isEmpty, "\(path): \(get) \(head)")
            }
            let stream = try Self.ask(gateway, "HEAD /stream/3 HTTP/1.1")
            #expect(stream.head[0] == "HTTP/1.1 200 OK" && stream.body.isEmpty, "\(stream)")
            // It is for the paths of GET alone.
            #expect(try Self.ask(gateway, "HEAD /rpc HTTP/1.1").head[0].hasPrefix("HTTP/1.1 405 "))
        }
    }

    @Test func `HTTP/1.0 needs no Host and gets no pieces`() async throws {
        try await Self.with { gateway in
            #expect(try Self.ask(gateway, "GET /text HTTP/1.0", []).body == "plain")
            let stream = try Self.ask(gateway, "GET /stream/2 HTTP/1.0", [])
            #expect(stream.body == "\"s0\"\n\"s1\"\n", "\(stream)")
            #expect(!stream.head.contains { $0.lowercased().hasPrefix("transfer-encoding") }, "\(stream)")
        }
    }

    @Test func `OPTIONS tells the methods of a path`() async throws {
        try await Self.with(",origins=https://app.example") { gateway in
            let allow = try Self.ask(gateway, "OPTIONS /echo HTTP/1.1")
            #expect(
                allow.head[0] == "HTTP/1.1 204 No Content" && allow.head.contains("Allow: GET, HEAD, OPTIONS, POST"))
            // A command that is for every method answers OPTIONS itself, but no preflight.
            #expect(try Self.ask(gateway, "OPTIONS /any HTTP/1.1").body == "null")
            let page = ["Host: localhost", "Origin: https://app.example", "Access-Control-Request-Method: PUT"]
            let preflight = try Self.ask(gateway, "OPTIONS /any HTTP/1.1", page)
            let methods = "Access-Control-Allow-Methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
            #expect(preflight.head.contains(methods) && preflight.body.isEmpty, "\(preflight)")
            // A page can read the error of a command.
            let failed = try Self.ask(gateway, "GET /fail/tea HTTP/1.1", Array(page.prefix(2)))
            #expect(failed.head.contains("Access-Control-Allow-Origin: https://app.example"), "\(failed)")
        }
    }

    @Test func `a command gets repeated fields as one, and the id of its request`() async throws {
        try await Self.with { gateway in
            let fields = ["Host: localhost", "X-A: 1", "x-a: 2", "Cookie: a=1", "Cookie: b=2"]
            let seen = try JSONValue(parsing: Self.ask(gateway, "GET /fields HTTP/1.1", fields).body)
            #expect(seen["x-a"] == "1, 2" && seen["cookie"] == "a=1; b=2" && seen["x-request-id"] == "r-1", "\(seen)")
            // Two ids are none: the request gets one of its own, which its command and its answer have.
            let made = try Self.ask(gateway, "GET /fields HTTP/1.1", ["Host: localhost", "X-Request-Id: r-2"])
            let id = try #require(try JSONValue(parsing: made.body)["x-request-id"]?.string)
            #expect(id.count == 32 && made.head.contains("X-Request-Id: \(id)"), "\(made)")
            // What a service that does not run costs its callers is in the log.
            try gateway.project.must("stop", "svc")
            #expect(eventually { (try? Self.ask(gateway, "GET /text HTTP/1.1").head[0].contains(" 503 ")) == true })
            #expect(gateway.says("GET /text at http://127.0.0.1:\(gateway.port) was answered with 503 (request r-1)"))
        }
    }
}
