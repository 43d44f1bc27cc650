import JSON
import JSONRPC
import NIOCore
import NIOHTTP1

/// The sources of a route's parameters: `route.id`, `query.q`, `body.name`, `headers.accept`, `rawBody`.
struct RouteInputs: Sendable {
    let route: [String: String]
    let query: [String: String]
    let headers: HTTPHeaders
    let body: ByteBuffer

    /// A body that is not what its type says.
    struct Problem: Error {
        let message: String
    }

    /// A body as its type says.
    private enum Content {
        case value(JSONValue)
        /// The bytes as they are; their JSON is not made before it is needed.
        case bytes
    }

    /// Appends the JSON of a call's parameters, in their order; positions that nothing is for are null.
    ///
    /// - Throws: `Problem` for a body that cannot be read.
    func writeParameters(_ sources: [WebRoute.Source], to output: inout [UInt8]) throws(Problem) {
        let content = try readBody()
        let found = Dictionary(sources.map { ($0.position, $0.value) }) { _, last in last }
        output.append(UInt8(ascii: "["))
        for position in 0...max(0, sources.map(\.position).max() ?? -1) where !sources.isEmpty {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            write(found[position] ?? .null, content, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    private func write(_ source: JSONValue, _ content: Content, to output: inout [UInt8]) {
        switch source {
        case .string(let text): write(path: text.split(separator: ".").map(String.init), content, to: &output)
        case .array(let path): write(path: path.compactMap(\.string), content, to: &output)
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                appendJSONString(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                write(member.value, content, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        case .null, .bool, .number: JSONValue.null.append(to: &output)
        }
    }

    private func write(path: [String], _ content: Content, to output: inout [UInt8]) {
        switch (path.first, path.dropFirst().isEmpty, content) {
        case ("rawBody", true, _), ("body", true, .bytes):
            body.withUnsafeReadableBytes { BufferText.append($0, to: &output) }
        default: look(up: path, content).append(to: &output)
        }
    }

    private func look(up path: [String], _ content: Content) -> JSONValue {
        guard let first = path.first else { return .null }
        let rest = path.dropFirst()
        switch first {
        case "route": return Self.descend(Self.object(route), rest)
        case "query": return Self.descend(Self.object(query), rest)
        case "body":
            guard case .value(let value) = content else { return member(ofBytes: rest) }
            return Self.descend(value, rest)
        case "headers":
            // Names of headers have no case, and may hold dots.
            let name = rest.joined(separator: ".")
            if rest.isEmpty { return Self.object(named) }
            return headers[name].isEmpty ? .null : .string(Self.joined(name, headers[name]))
        default: return .null  // words of services, not an enum of ours
        }
    }

    /// A member of the JSON form of the bytes, without making all of it.
    private func member(ofBytes path: ArraySlice<String>) -> JSONValue {
        let words = Array(path)
        if words == ["type"] { return "Buffer" }
        guard words.count == 2, words[0] == "data", let index = Int(words[1]), index >= 0,
            let byte = body.viewBytes(at: body.readerIndex, length: body.readableBytes)?.dropFirst(index).first
        else { return .null }
        return JSONValue(Int(byte))
    }

    private var named: [String: String] { Self.joined(headers) }

    /// One text for each field, by its name in small letters.
    static func joined(_ headers: HTTPHeaders) -> [String: String] {
        Dictionary(grouping: headers.map { ($0.name.lowercased(), $0.value) }) { $0.0 }
            .reduce(into: [:]) { fields, group in fields[group.key] = joined(group.key, group.value.map(\.1)) }
    }

    /// The values of a repeated field are a list (RFC 9110, section 5.3), those of Cookie parts of one (RFC 9113, section 8.2.3).
    private static func joined(_ name: String, _ values: [String]) -> String {
        values.joined(separator: name.lowercased() == "cookie" ? "; " : ", ")
    }

    private static func descend(_ value: JSONValue, _ path: ArraySlice<String>) -> JSONValue {
        path.reduce(value) { value, key in
            value[key] ?? Int(key).flatMap { value.array?.indices.contains($0) == true ? value[$0] : nil } ?? .null
        }
    }

    private static func object(_ fields: [String: String]) -> JSONValue {
        .object(JSONObject(fields.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    private func readBody() throws(Problem) -> Content {
        guard body.readableBytes > 0 else { return .value(.null) }
        let type = headers["content-type"].first?.split(separator: ";").first?.lowercased() ?? ""
        if type.isEmpty || type == "application/json" || type.hasSuffix("+json") {
            do throws(JSONError) {
                let value = try body.withUnsafeReadableBytes { raw throws(JSONError) in try JSONValue(parsing: raw) }
                return .value(value)
            } catch {
                throw Problem(message: "the body is not JSON: \(error)")
            }
        }
        if type == "application/x-www-form-urlencoded" {
            guard let fields = WebTarget.fields(Array(body.readableBytesView)) else {
                throw Problem(message: "the body is not a form")
            }
            return .value(Self.object(fields))
        }
        if type.hasPrefix("text/") || type.hasSuffix("xml") {
            guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
                throw Problem(message: "the body is not UTF-8")
            }
            return .value(.string(text))
        }
        return .bytes
    }
}
