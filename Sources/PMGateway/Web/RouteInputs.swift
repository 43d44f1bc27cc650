import JSON
import NIOCore
import NIOHTTP1

/// The sources of a route's parameters: `route.id`, `query.q`, `body.name`, `headers.accept`, `rawBody`.
struct RouteInputs {
    let route: [String: String]
    let query: [String: String]
    let headers: HTTPHeaders
    let body: [UInt8]

    /// A body that is not what its type says.
    struct Problem: Error {
        let message: String
    }

    /// The parameters of a call, in their order; positions that nothing is for are null.
    ///
    /// - Throws: `Problem` for a body that cannot be read.
    func parameters(_ sources: [WebRoute.Source]) throws(Problem) -> JSONValue {
        let content = try readBody()
        var parameters = [JSONValue](repeating: .null, count: (sources.map(\.position).max() ?? -1) + 1)
        for source in sources { parameters[source.position] = resolve(source.value, content) }
        return .array(parameters)
    }

    private func resolve(_ source: JSONValue, _ content: JSONValue) -> JSONValue {
        switch source {
        case .string(let text): return look(up: text.split(separator: ".").map(String.init), content)
        case .array(let path): return look(up: path.compactMap(\.string), content)
        case .object(let members):
            return .object(JSONObject(members.map { ($0.key, resolve($0.value, content)) }))
        case .null, .bool, .number: return .null
        }
    }

    private func look(up path: [String], _ content: JSONValue) -> JSONValue {
        guard let first = path.first else { return .null }
        let rest = path.dropFirst()
        switch first {
        case "route": return Self.descend(Self.object(route), rest)
        case "query": return Self.descend(Self.object(query), rest)
        case "body": return Self.descend(content, rest)
        case "rawBody": return rest.isEmpty ? Self.buffer(body) : .null
        case "headers":
            // Names of headers have no case, and may hold dots.
            let name = rest.joined(separator: ".")
            if rest.isEmpty { return Self.object(named) }
            return headers[name].isEmpty ? .null : .string(headers[name].joined(separator: ", "))
        default: return .null  // words of services, not an enum of ours
        }
    }

    private var named: [String: String] {
        Dictionary(headers.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" }
    }

    private static func descend(_ value: JSONValue, _ path: ArraySlice<String>) -> JSONValue {
        path.reduce(value) { value, key in
            value[key] ?? Int(key).flatMap { value.array?.indices.contains($0) == true ? value[$0] : nil } ?? .null
        }
    }

    private static func object(_ fields: [String: String]) -> JSONValue {
        .object(JSONObject(fields.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    private static func buffer(_ bytes: [UInt8]) -> JSONValue {
        ["type": "Buffer", "data": .array(bytes.map { JSONValue($0) })]
    }

    private func readBody() throws(Problem) -> JSONValue {
        guard !body.isEmpty else { return .null }
        let type = headers["content-type"].first?.split(separator: ";").first?.lowercased() ?? ""
        if type.isEmpty || type == "application/json" || type.hasSuffix("+json") {
            do throws(JSONError) {
                return try JSONValue(parsing: body)
            } catch {
                throw Problem(message: "the body is not JSON: \(error)")
            }
        }
        if type == "application/x-www-form-urlencoded" {
            guard let fields = WebTarget.fields(body) else { throw Problem(message: "the body is not a form") }
            return Self.object(fields)
        }
        if type.hasPrefix("text/") || type.hasSuffix("xml") {
            guard let text = String(validating: body, as: UTF8.self) else {
                throw Problem(message: "the body is not UTF-8")
            }
            return .string(text)
        }
        return Self.buffer(body)
    }
}
