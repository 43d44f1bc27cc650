import JSON
import JSONRPC
import NIOCore
import NIOHTTP1
import PMAPI
import Testing

@testable import PMGateway

/// Routes of commands: which is meant, what is sent, and how they are described.
@Suite struct WebRouteTests {
    private static func command(_ name: String, _ config: JSONValue) -> CommandMetadata {
        CommandMetadata(name: name, config: config.object ?? JSONObject())
    }

    private static let routes = WebRoutes(
        ServiceMetadata(
            name: "pm",
            commands: [
                command("s.none", [:]),
                command("s.get", ["http": ["method": "get", "route": "/users/{id}"]]),
                command("s.me", ["http": ["method": "GET", "route": "users/me/"]]),
                command(
                    "s.put", ["http": ["method": "put", "route": "/users/{id}", "inject": ["body.name", "route.id"]]]),
                command("s.any", ["http": ["method": "use", "route": "/any"]]),
                command("s.root", ["http": ["method": "get", "route": "/"]]),
            ]))

    private static func found(_ method: String, _ uri: String) throws -> String {
        switch routes.match(method, try #require(WebTarget(uri))) {
        case .found(let route, let parameters):
            "\(route.command) \(parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })"
        case .stopped(let service): "503 \(service)"
        case .otherMethod(let methods): "405 \(methods)"
        case .none: "404"
        }
    }

    @Test(arguments: [
        ("GET", "/users/7", #"s.get ["id=7"]"#), ("GET", "/users/me", "s.me []"),
        ("GET", "/users/a%2Fb/", #"s.get ["id=a/b"]"#),
        ("PUT", "/users/me", #"s.put ["id=me"]"#), ("DELETE", "/users/7", #"405 ["GET", "HEAD", "OPTIONS", "PUT"]"#),
        ("PATCH", "/any?x", "s.any []"),
        ("HEAD", "/users/7", #"s.get ["id=7"]"#), ("HEAD", "/users/me", "s.me []"), ("HEAD", "/any", "s.any []"),
        ("OPTIONS", "/", #"405 ["GET", "HEAD", "OPTIONS"]"#), ("OPTIONS", "/any", "s.any []"),
        ("GET", "/", "s.root []"), ("GET", "/users", "404"), ("GET", "/users/7/8", "404"),
    ])
    func `are matched`(method: String, uri: String, expected: String) throws {
        #expect(try Self.found(method, uri) == expected)
    }

    @Test(arguments: [
        "*", "users", "//users/7", "/a/../b", "/%2e/b", "/a\\b", "/a#b", "http://", "http://?a", "/%zz", "/a?b=%",
        "/%00",
        "/%ff",
    ])
    func `other targets are none`(uri: String) {
        #expect(WebTarget(uri) == nil)
    }

    private static func parameters(_ config: JSONValue, _ scope: RouteInputs) throws -> String {
        let route = try #require(WebRoute(command("s.c", config)))
        var text: [UInt8] = []
        try scope.writeParameters(route.sources, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func scope(_ body: String = "", type: String = "application/json") -> RouteInputs {
        RouteInputs(
            route: ["id": "7"], query: ["q": "x y"], headers: ["X-Trace": "t1", "Content-Type": type],
            body: ByteBuffer(string: body))
    }

    @Test(arguments: [
        (#"{"http":{"method":"post","route":"/{id}"}}"#, #"["7",{"a":[1]}]"#),
        (#"{"http":{"method":"get","route":"/{id}"}}"#, #"["7"]"#),
        (#"{"http":{"route":"/{id}","inject":["body.a.0","query.q","headers.x-trace"]}}"#, #"[1,"x y","t1"]"#),
        (
            #"{"":{"inject":["params.1","dummy","params.0"]},"http":{"route":"/{id}","inject":["route.id","query","body"]}}"#,
            #"[{"a":[1]},"7"]"#
        ),
        (
            #"{"":{"inject":["params.0"]},"jsonrpc":{"inject":["params.2"]},"http":{"route":"/{id}","inject":["route.id"]}}"#,
            #"[null,null,"7"]"#
        ),
        (
            #"{"http":{"route":"/","inject":[["body","a"],{"id":"route.id","n":"nothing.here"},"process.env","$state"]}}"#,
            #"[[1],{"id":"7","n":null},null,null]"#
        ),
        (
            #"{"http":{"route":"/","inject":["rawBody"]}}"#,
            #"[{"type":"Buffer","data":[123,34,97,34,58,91,49,93,125]}]"#
        ),
    ])
    func `parameters are taken from the request`(config: String, expected: String) throws {
        #expect(try Self.parameters(JSONValue(parsing: config), Self.scope(#"{"a":[1]}"#)) == expected)
    }

    @Test(arguments: [
        ("a=1&b=x+y%21", "application/x-www-form-urlencoded; charset=utf-8", #"[{"a":"1","b":"x y!"}]"#),
        ("text", "text/plain", #"["text"]"#), ("ab", "image/png", #"[{"type":"Buffer","data":[97,98]}]"#),
        (
            "\u{0}\u{9}\u{c}z\u{7f}\u{80}", "application/octet-stream",
            #"[{"type":"Buffer","data":[0,9,12,122,127,194,128]}]"#
        ),
        ("", "application/json", "[null]"), ("[1]", "application/vnd.a+json", "[[1]]"),
    ])
    func `a body is read by its type`(body: String, type: String, expected: String) throws {
        let config: JSONValue = ["http": ["route": "/", "inject": ["body"]]]
        #expect(try Self.parameters(config, Self.scope(body, type: type)) == expected)
    }

    @Test func `a body that is not what its type says is refused`() throws {
        let route = try #require(WebRoute(Self.command("s.c", ["http": ["route": "/"]])))
        for (body, type) in [("{", "application/json"), ("%", "application/x-www-form-urlencoded")] {
            var text: [UInt8] = []
            #expect(throws: RouteInputs.Problem.self) {
                try Self.scope(body, type: type).writeParameters(route.sources, to: &text)
            }
        }
    }

    @Test func `are described with their schemas`() throws {
        let config = try JSONValue(
            parsing:
                #"{"":{"inject":["params.0","params.1","params.2"]},"http":{"method":"post","route":"/u/{id}","inject":["route.id","query.q","body.n"]},"schema":{"$defs":{"params.0":{"type":"integer"},"params.2":{"type":"boolean"}},"resultSchema":{"type":"null"}}}"#
        )
        let route = try #require(WebRoute(Self.command("s.c", config)))
        let document = OpenAPI(routes: [route], asksForToken: true).document
        #expect(document["openapi"]?.string == "3.1.0" && document["security"]?.text == #"[{"token":[]}]"#)
        let operation = document["paths"]?["/u/{id}"]?["post"]
        #expect(operation?["operationId"]?.string == "s.c")
        #expect(
            operation?["parameters"]?.text
                == #"[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}},{"name":"q","in":"query","required":false,"schema":{"type":"string"}}]"#
        )
        #expect(
            operation?["requestBody"]?.text
                == #"{"content":{"application/json":{"schema":{"type":"object","properties":{"n":{"type":"boolean"}}}}}}"#
        )
        #expect(
            operation?["responses"]?["200"]?["content"]?.text == #"{"application/json":{"schema":{"type":"null"}}}"#)
        #expect(document["paths"]?["/rpc"]?["post"] != nil)
    }
}

/// What is sent to the daemon for the body of a request.
@Suite struct RPCExchangeTests {
    private static func exchange(_ body: String) -> RPCExchange {
        RPCExchange(ByteBuffer(string: body), batch: 3)
    }

    @Test func `a message becomes one line`() throws {
        let exchange = Self.exchange("{\"jsonrpc\":\"2.0\",\r\n \"id\":1,\n\"method\":\"a\"}")
        #expect(String(buffer: exchange.request) == "{\"jsonrpc\":\"2.0\",   \"id\":1, \"method\":\"a\"}\n")
        #expect(!exchange.isAnswered)
    }

    @Test func `what is wrong in a list is answered here, and the rest is asked`() throws {
        let exchange = Self.exchange(
            #"[{"jsonrpc":"2.0","method":"n"},{"id":1},{"jsonrpc":"2.0","id":2,"method":"proxy","params":["s"]}]"#)
        #expect(String(buffer: exchange.request) == "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n")
        #expect(exchange.isAnswered)
        let answers = try JSONValue(parsing: String(buffer: exchange.answer.body)).array ?? []
        #expect(
            answers.map { $0["id"]?.text } == ["1", "2"] && answers.allSatisfy { $0["error"]?["code"]?.int == -32600 })
    }

    @Test(arguments: ["", "{", "[]", "1", #"{"id":1,"result":2,"jsonrpc":"2.0"}"#, "[1,2,3,4]", "{\"a\":1}\n{}"])
    func `a body that is no message is refused`(body: String) throws {
        let exchange = Self.exchange(body)
        #expect(exchange.isAnswered && exchange.request.readableBytes == 0)
        let answer = exchange.answer
        let error = try JSONValue(parsing: String(buffer: answer.body))
        let isJSON = (try? JSONValue(parsing: body)) != nil  // one of the cases
        #expect(answer.status == .badRequest && error["id"] == .null && error["jsonrpc"] == "2.0")
        #expect(error["error"]?["code"]?.int == (isJSON ? -32600 : -32700))
    }
}
