import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// HTTP as pm-gateway speaks it.
@Suite(.serialized) struct `HTTP of pm-gateway` {
    private static func with(
        _ options: [String] = [], point: String = "http://127.0.0.1:PORT", _ body: (TestGateway) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            try project.startServices("svc")
            try TestGateway.with(project, [point], options, body)
        }
    }

    @Test func `answers messages and lists of them`() async throws {
        try await Self.with { gateway in
            let one = try gateway.rpc("{\"jsonrpc\":\"2.0\",\n\"id\":\"x\",\"method\":\"svc.add\",\"params\":[1,2]}\n")
            #expect(one.status == 200 && one.json.text == #"{"id":"x","result":3,"jsonrpc":"2.0"}"#)
            let nothing = try gateway.rpc(#"{"jsonrpc":"2.0","method":"svc.note","params":["a"]}"#)
            #expect(nothing.status == 204 && nothing.json == .null)
            let list = try gateway.rpc(
                #"[{"jsonrpc":"2.0","id":1,"method":"svc.add","params":[1,2]},{"jsonrpc":"2.0","method":"svc.note"},{"jsonrpc":"2.0","id":2,"method":"nope"},{"id":3}]"#
            )
            #expect(list.status == 200)
            let byID = Dictionary(uniqueKeysWithValues: (list.json.array ?? []).map { ($0["id"]?.int ?? 0, $0) })
            #expect(byID.count == 3 && byID[1]?["result"]?.int == 3)
            #expect(byID[2]?["error"]?["code"]?.int == -32601 && byID[3]?["error"]?["code"]?.int == -32600)
            let failed = try gateway.rpc(#"{"jsonrpc":"2.0","id":1,"method":"svc.fail","params":["tea"]}"#)
            #expect(failed.status == 200 && failed.json["error"]?["statusCode"]?.int == 418)
            for body in ["{", "[]", "1", "", #"{"jsonrpc":"2.0","id":1,"result":1}"#] {
                #expect(try gateway.rpc(body).status == 400, "\(body)")
            }
            let proxy = try gateway.rpc(#"{"jsonrpc":"2.0","id":1,"method":"proxy","params":["svc"]}"#)
            #expect(proxy.json["error"]?["message"]?.string != nil)
            #expect(
                try gateway.rpc(#"{"jsonrpc":"2.0","id":1,"method":"svc.add","params":[1,2]}"#).json["result"]?.int == 3
            )
        }
    }

    @Test func `answers a stream with a message a line`() async throws {
        try await Self.with { gateway in
            let call = #"{"jsonrpc":"2.0","id":5,"method":"svc.stream","params":[3]}"#
            let text = try gateway.request("POST", "/rpc", ["Content-Type: application/json"], body: call).body
            let frames = text.split(separator: "\r\n").flatMap { $0.split(separator: "\n") }.filter {
                $0.hasPrefix("{")
            }
            #expect(frames.count == 5 && frames.allSatisfy { $0.contains("\"id\":5") }, "\(text)")
            #expect(frames.first?.contains("\"stream\":true") == true && frames.last?.contains("\"end\"") == true)
            let list = try gateway.rpc("[\(call)]")
            #expect(list.status == 400 && list.json["message"]?.string?.contains("stream") == true)
            let route = try gateway.request("GET", "/stream/2")
            #expect(route.status == 200 && route.body.contains("\"s0\"\n") && route.body.contains("\"s1\"\n"))
        }
    }

    @Test func `leads to commands by their routes`() async throws {
        try await Self.with { gateway in
            let cases: [(String, String, String?, Int, String)] = [
                ("GET", "/add/4/x%20y", nil, 200, #""4x y""#), ("GET", "/echo?value=a+b", nil, 200, #""a b""#),
                ("POST", "/echo", #"{"a":[1, 2]}"#, 200, #"{"a":[1,2]}"#), ("GET", "/nothing", nil, 204, ""),
                ("GET", "/text", nil, 200, "plain"), ("GET", "/raw", nil, 200, "ab\u{0}"),
                ("PUT", "/any", nil, 200, "null"), ("DELETE", "/echo", nil, 405, ""), ("GET", "/none", nil, 404, ""),
                ("POST", "/echo", "{", 400, ""), ("GET", "/%zz", nil, 400, ""),
                ("POST", "/openapi.json", "{}", 405, ""),
            ]
            for (method, path, body, status, expected) in cases {
                let answer = try gateway.request(
                    method, path, body == nil ? [] : ["Content-Type: application/json"], body: body)
                #expect(answer.status == status, "\(method) \(path) \(answer)")
                if !expected.isEmpty || status == 204 { #expect(answer.body == expected, "\(method) \(path)") }
            }
            let failed = try gateway.request("GET", "/fail/tea")
            #expect(failed.status == 418)
            #expect(failed.body == #"{"statusCode":418,"code":"TEAPOT","message":"tea"}"# + "\n")
            let document = try JSONValue(parsing: gateway.request("GET", "/openapi.json").body)
            #expect(document["paths"]?["/add/{a}/{b}"]?["get"]?["operationId"]?.string == "svc.add")
            let metadata = try JSONValue(parsing: gateway.request("GET", "/$metadata").body)
            #expect(metadata["commands"]?.array?.contains { $0["name"]?.string == "svc.add" } == true)
            // What is started now is there at once, though the routes were just asked for.
            try gateway.project.must("stop", "svc")
            #expect(eventually { (try? gateway.request("GET", "/text").status) == 503 })
            try gateway.project.must("start", "svc", "--wait")
            #expect(try gateway.request("GET", "/text").body == "plain")
        }
    }

    /// Heads that two readers could understand in two ways, or that are none.
    private static let unclear: [(String, String)] = [
        ("length and coding", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        ("coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n"),
        ("two lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
        ("two other lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ("list of lengths", "Content-Length: 2, 2\r\n\r\n{}"), ("plus", "Content-Length: +2\r\n\r\n{}"),
        ("minus", "Content-Length: -1\r\n\r\n{}"), ("hexadecimal", "Content-Length: 0x2\r\n\r\n{}"),
        ("no length", "Content-Length: \r\n\r\n{}"),
        ("too many digits", "Content-Length: 99999999999999999999\r\n\r\n"),
        ("folded header", "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}"),
        ("folded coding", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
        ("unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("two codings", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("identity", "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        ("blank before colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ("blank in name", "X Y: a\r\n\r\n"), ("NUL", "X: a\u{0}b\r\n\r\n"), ("bare return", "X: a\rb\r\n\r\n"),
        ("bare line feed", "X: a\n\n"), ("no colon", "chunked\r\n\r\n"),
        ("bad chunk size", "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n"),
        ("negative chunk", "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n"),
        ("huge chunk", "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("chunk without end", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}X0\r\n\r\n"),
        ("chunk with line feeds", "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n"),
        ("two hosts", "Host: localhost\r\n\r\n"), ("long field", "X: \(String(repeating: "a", count: 40_000))\r\n\r\n"),
        ("many fields", String(repeating: "X: a\r\n", count: 120) + "\r\n"),
        ("long head", String(repeating: "X: \(String(repeating: "a", count: 900))\r\n", count: 50) + "\r\n"),
    ]

    @Test func `refuses what is not clear, and closes`() async throws {
        try await Self.with { gateway in
            // Behind each of them stands a request that must not be taken for one.
            let hidden = "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\n"
            for (name, rest) in Self.unclear {
                let head = "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                let answer = try gateway.exchange(head + rest + hidden)
                #expect(answer?.hasPrefix("HTTP/1.1 400 ") == true, "\(name): \(answer ?? "open")")
                #expect(answer?.contains("plain") == false && answer?.components("HTTP/1.1 ") == 1, "\(name)")
            }
            for head in ["GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n", "GET /\r\n\r\n"] {
                #expect(try gateway.exchange(head)?.hasPrefix("HTTP/1.1 400 ") == true, "\(head)")
            }
            #expect(try gateway.request("GET", "/text").body == "plain")
        }
    }

    @Test func `takes requests one after the other on one connection`() async throws {
        try await Self.with { gateway in
            let client = try gateway.client()
            let one = "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\n"
            client.send(one + one + "GET /raw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let answer = client.rest() ?? ""
            #expect(answer.components("HTTP/1.1 200 ") == 3 && answer.hasSuffix("ab\u{0}"))
            let chunked = try gateway.exchange(
                "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                    + "Connection: close\r\n\r\n3\r\n[1,\r\n2;a=b\r\n2]\r\n0\r\nX: y\r\n\r\n")
            #expect(chunked?.hasSuffix("[1,2]") == true)
            let old = try gateway.exchange("GET /text HTTP/1.0\r\nHost: localhost\r\n\r\n")
            #expect(old?.hasSuffix("plain") == true)
        }
    }

    @Test func `is closed to pages of other sites, other names and other types`() async throws {
        try await Self.with { gateway in
            let message = #"{"jsonrpc":"2.0","id":1,"method":"name"}"#
            let type = "Content-Type: application/json"
            let cases: [([String], Int)] = [
                ([type], 200), ([type, "Host: evil.example"], 403), ([type, "Origin: http://evil.example"], 403),
                ([type, "Origin: null"], 403), ([type, "Sec-Fetch-Site: cross-site"], 403), ([], 415),
                (["Content-Type: text/plain"], 415), (["Content-Type: application/x-www-form-urlencoded"], 415),
                ([type, "Host: localhost:9", "Origin: http://localhost:9"], 200),
            ]
            for (headers, status) in cases {
                #expect(try gateway.request("POST", "/rpc", headers, body: message).status == status, "\(headers)")
            }
            let answer = try gateway.exchange("OPTIONS /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(
                answer?.hasPrefix("HTTP/1.1 204") == true && answer?.lowercased().contains("access-control") == false)
        }
    }

    @Test func `asks for a token beyond loopback`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRoutes()
            try project.startServices("svc")
            try project.writeSecret("token", "0123456789abcdef\n")
            let point = "http://0.0.0.0:PORT,token=\(project.directory)/token"
            try TestGateway.with(project, [point]) { gateway in
                let right = "Authorization: Bearer 0123456789abcdef"
                #expect(try gateway.request("GET", "/text", [right, "Host: any.example"]).body == "plain")
                for headers in [
                    [], ["Authorization: Bearer 0123456789abcdeg"], ["Authorization: Basic 0123456789abcdef"],
                ] {
                    for path in ["/text", "/rpc", "/none", "/openapi.json", "/text?access_token=0123456789abcdef"] {
                        let answer = try gateway.request("GET", path, headers)
                        #expect(
                            answer.status == 401 && answer.body.contains("the request has no valid token"),
                            "\(headers) \(path)")
                    }
                }
                try project.writeSecret("token", "fedcba9876543210\n")
                #expect(try gateway.request("GET", "/text", [right]).status == 401)
                let other = "Authorization: Bearer fedcba9876543210"
                #expect(try gateway.request("GET", "/text", [other]).status == 200)
            }
        }
    }

    @Test func `bounds bodies and the time for them`() async throws {
        try await Self.with(["--message-limit", "4096", "--handshake-timeout", "1"]) { gateway in
            let type = "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            #expect(try gateway.exchange(type + "Content-Length: 4097\r\n\r\n")?.hasPrefix("HTTP/1.1 413 ") == true)
            let chunk = "400\r\n" + String(repeating: "a", count: 1024) + "\r\n"
            let chunks = type + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 5)
            #expect(try gateway.exchange(chunks)?.hasPrefix("HTTP/1.1 413 ") == true)
            // Half a head, and nothing at all: closed when the time is over.
            #expect(try gateway.exchange("POST /rpc HTTP/1.1\r\nHost:") == "")
            #expect(try gateway.exchange("") == "")
            let waiting = try gateway.exchange(type + "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
            #expect(waiting?.hasPrefix("HTTP/1.1 413 ") == true)
            let client = try gateway.client()
            client.send(type + "Expect: 100-continue\r\nConnection: close\r\nContent-Length: 41\r\n\r\n")
            #expect(client.receive(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send(#"{"jsonrpc":"2.0","id":1,"method":"name"} "#)
            #expect(client.rest()?.hasPrefix("HTTP/1.1 200 ") == true)
        }
    }

    @Test func `says that the daemon is gone, and serves again with the next one`() async throws {
        try await Self.with { gateway in
            let client = try gateway.client()
            let head = "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            let wait = #"{"jsonrpc":"2.0","id":1,"method":"log","params":[["svc"],{"follow":true}]}"#
            client.send(head + "\(wait.utf8.count)\r\n\r\n\(wait)")
            // A stream that has begun breaks off: nobody must take it for whole.
            #expect(client.receive(upTo: "\"stream\":true") != nil)
            kill(try gateway.project.daemonID(), SIGKILL)
            #expect(client.rest()?.hasSuffix("0\r\n\r\n") == false)
            // The next daemon asks the services first what they offer.
            #expect(eventually { (try? gateway.request("GET", "/text").body) == "plain" })
            try gateway.project.must("stop")
            let gone = try gateway.request("GET", "/text")
            #expect(gone.status == 503 && gone.body.contains("the daemon cannot be reached"), "\(gone)")
            try gateway.project.startDaemon()
            #expect(try gateway.rpc(#"{"jsonrpc":"2.0","id":1,"method":"name"}"#).status == 200)
        }
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}

extension TestProject {
    /// Gives the commands of `svc` routes.
    func addRoutes() throws {
        try write("svc/text.js", "exports.default = () => 'plain';")
        try write("svc/raw.js", "exports.default = () => Buffer.from([97, 98, 0]);")
        let routes: [(String, String)] = [
            ("add", #"{"method":"get","route":"/add/{a}/{b}"}"#),
            ("echo", #"{"method":"get","route":"/echo","inject":["query.value"]}"#),
            ("echo", #"{"method":"post","route":"/echo","inject":["body"]}"#),
            ("echo", #"{"method":"get","route":"/fields","inject":["headers"]}"#),
            ("echo", #"{"method":"use","route":"/any"}"#), ("nothing", #"{"method":"get","route":"/nothing"}"#),
            ("fail", #"{"method":"get","route":"/fail/{m}"}"#), ("stream", #"{"method":"get","route":"/stream/{n}"}"#),
            ("text", #"{"method":"get","route":"/text","type":"text"}"#),
            ("raw", #"{"method":"get","route":"/raw","type":"raw","contentType":"image/x"}"#),
        ]
        var commands = try JSONValue(parsing: read("svc/commands.json"))["commands"]?.array ?? []
        for (file, http) in routes {
            let http = try JSONValue(parsing: http)
            if let place = commands.firstIndex(where: { $0["name"]?.string == file && $0["config"]?["http"] == nil }) {
                commands[place] = Self.command(file, file, http, commands[place])
            } else {
                commands.append(Self.command("\(file)\(commands.count)", file, http, nil))
            }
        }
        try write("svc/commands.json", JSONValue.object(["name": "svc", "commands": .array(commands)]).text)
    }

    private static func command(_ name: String, _ file: String, _ http: JSONValue, _ before: JSONValue?) -> JSONValue {
        var config =
            before?["config"]?.object ?? ["fs": ["path": .string("./\(file).js")], "": ["inject": ["params.0"]]]
        config["http"] = http
        return ["name": .string(name), "config": .object(config)]
    }
}
