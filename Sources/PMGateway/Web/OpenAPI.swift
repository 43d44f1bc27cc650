import JSON
import PMAPI

/// The routes as an OpenAPI 3.1 document.
struct OpenAPI {
    let routes: [WebRoute]
    /// True when the point asks for a token.
    let asksForToken: Bool

    /// The document.
    var document: JSONValue {
        var members = JSONObject([
            ("openapi", "3.1.0"), ("info", ["title": "pm", "version": .string(Version.current)]),
            ("paths", .object(paths)),
        ])
        var components: JSONObject = ["schemas": ["Error": Self.errorSchema]]
        if asksForToken {
            components["securitySchemes"] = ["token": ["type": "http", "scheme": "bearer"]]
            members["security"] = [["token": []]]
        }
        members["components"] = .object(components)
        return .object(members)
    }

    private static let errorSchema: JSONValue = [
        "type": "object", "required": ["statusCode", "message"],
        "properties": [
            "statusCode": ["type": "integer"], "code": ["type": ["string", "integer"]], "message": ["type": "string"],
            "hint": ["type": "string"],
        ],
    ]

    private var paths: JSONObject {
        var paths = JSONObject()
        for route in routes {
            var path = paths[route.path]?.object ?? JSONObject()
            // A route of every method is shown as the two that say most.
            for method in route.method.map({ [$0] }) ?? ["GET", "POST"] where Self.methods.contains(method) {
                let name = method.lowercased()
                if path[name] == nil { path[name] = operation(route, method) }
            }
            paths[route.path] = .object(path)
        }
        paths["/rpc"] = Self.rpc
        return paths
    }

    /// The methods that OpenAPI knows.
    private static let methods: Set<String> = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]

    private func operation(_ route: WebRoute, _ method: String) -> JSONValue {
        let inputs = WebInputs(route)
        var operation = JSONObject([("operationId", .string(route.command + (route.method == nil ? ".\(method)" : "")))]
        )
        if !inputs.parameters.isEmpty { operation["parameters"] = .array(inputs.parameters) }
        if method != "GET", let body = inputs.body {
            operation["requestBody"] = ["content": ["application/json": ["schema": body]]]
        }
        let type = route.contentType ?? route.kind.contentType
        let result = route.schema["resultSchema"] ?? (route.kind == .json ? [:] : ["type": "string"])
        operation["responses"] = [
            "200": ["description": "The result", "content": .object([type: ["schema": result]])],
            "204": ["description": "Done, without a result"],
            "default": [
                "description": "An error",
                "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
            ],
        ]
        return .object(operation)
    }

    private static let rpc: JSONValue = [
        "post": [
            "operationId": "rpc", "description": "JSON-RPC 2.0: one message, or a list of them.",
            "requestBody": [
                "required": true,
                "content": ["application/json": ["schema": ["type": ["object", "array"]]]],
            ],
            "responses": [
                "200": [
                    "description": "The answer, or a list of answers; a stream has a line for each of its messages",
                    "content": ["application/json": ["schema": [:]], "application/x-ndjson": ["schema": [:]]],
                ],
                "204": ["description": "No message needed an answer"],
            ],
        ]
    ]
}

extension WebRoute.Kind {
    /// The type of an answer where the command gives none.
    var contentType: String {
        switch self {
        case .json: "application/json"
        case .text: "text/plain; charset=utf-8"
        case .xml: "application/xml"
        case .raw: "application/octet-stream"
        }
    }
}

/// The inputs of a route, as OpenAPI describes them.
private struct WebInputs {
    private(set) var parameters: [JSONValue] = []
    private(set) var body: JSONValue?
    private var properties = JSONObject()

    init(_ route: WebRoute) {
        var described: Set<String> = []
        for source in route.sources {
            let schema = route.schema["$defs"]?["params.\(source.position)"]
            for path in Self.paths(source.value) { add(path, schema, &described) }
        }
        // Each parameter of the path must be described, taken or not.
        for case .parameter(let name) in route.pattern.parts where !described.contains("path \(name)") {
            parameters.append(Self.parameter("path", name, nil))
        }
        if body == nil, !properties.isEmpty { body = ["type": "object", "properties": .object(properties)] }
    }

    private mutating func add(_ path: [String], _ schema: JSONValue?, _ described: inout Set<String>) {
        guard let first = path.first else { return }
        let name = path.dropFirst().joined(separator: ".")
        switch first {
        case "route" where !name.isEmpty: insert("path", name, schema, &described)
        case "query" where !name.isEmpty: insert("query", name, schema, &described)
        case "headers" where !name.isEmpty: insert("header", name, schema, &described)
        case "body" where name.isEmpty: body = schema ?? [:]
        case "body": properties[path[1]] = path.count == 2 ? schema ?? [:] : [:]
        case "rawBody": body = ["type": "string", "format": "binary"]
        default: break  // words of services, not an enum of ours
        }
    }

    private mutating func insert(_ place: String, _ name: String, _ schema: JSONValue?, _ described: inout Set<String>)
    {
        guard described.insert("\(place) \(name)").inserted else { return }
        parameters.append(Self.parameter(place, name, schema))
    }

    private static func parameter(_ place: String, _ name: String, _ schema: JSONValue?) -> JSONValue {
        [
            "name": .string(name), "in": .string(place), "required": .bool(place == "path"),
            "schema": schema ?? ["type": "string"],
        ]
    }

    /// The paths in an entry of `inject`: one, or those of an object's members.
    private static func paths(_ value: JSONValue) -> [[String]] {
        switch value {
        case .string(let text): [text.split(separator: ".").map(String.init)]
        case .array(let path): [path.compactMap(\.string)]
        case .object(let members): members.flatMap { paths($0.value) }
        case .null, .bool, .number: []
        }
    }
}
