import JSON
import PMAPI

/// One route: the command that has it in its `http` configuration, and how the command is called.
struct WebRoute: Equatable {
    /// One part of a route's path.
    enum Part: Equatable {
        case text(String)
        /// `{name}`: any text.
        case parameter(String)
    }

    /// What the answer's body is.
    enum Kind: String {
        case json, text, xml, raw
    }

    /// The command, `SERVICE.COMMAND`.
    let command: String
    /// The method, in capitals; nil: any.
    let method: String?
    let parts: [Part]
    let kind: Kind
    /// The type of the answer, when the command gives one.
    let contentType: String?
    /// What is sent, each with its position among the parameters.
    let sources: [Source]
    /// The command's `schema` configuration.
    let schema: JSONObject

    /// Where one parameter comes from.
    struct Source: Equatable {
        let position: Int
        let value: JSONValue
    }

    /// The route of a command; nil when it has none.
    init?(_ metadata: CommandMetadata) {
        guard let http = metadata.config["http"]?.object, let route = http["route"]?.string else { return nil }
        command = metadata.name
        let method = http["method"]?.string?.uppercased() ?? "USE"
        self.method = ["USE", "ALL"].contains(method) ? nil : method
        let pieces = route.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        parts = pieces.map { piece in
            let isParameter = piece.count > 2 && piece.hasPrefix("{") && piece.hasSuffix("}")
            return isParameter ? .parameter(String(piece.dropFirst().dropLast())) : .text(piece)
        }
        kind = http["type"]?.string.flatMap(Kind.init) ?? .json
        contentType = http["contentType"]?.string
        sources = Self.sources(metadata.config, http, parts, takesBody: self.method != "GET")
        schema = metadata.config["schema"]?.object ?? JSONObject()
    }

    /// The path as it was written, `/users/{id}`.
    var path: String {
        "/"
            + parts.map { part in
                switch part {
                case .text(let text): text
                case .parameter(let name): "{\(name)}"
                }
            }.joined(separator: "/")
    }

    /// How many parts are fixed: of two routes that match, the one with more of them is meant.
    var precision: Int {
        parts.count { if case .text = $0 { true } else { false } }
    }

    /// The parameters of a path; nil when the route is another one.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == parts.count else { return nil }
        var found: [String: String] = [:]
        for (part, text) in zip(parts, path) {
            switch part {
            case .text(let expected): if expected != text { return nil }
            case .parameter(let name): found[name] = text
            }
        }
        return found
    }

    /// Entry i of `http.inject` goes where entry i of `jsonrpc.inject`, else of the general list, says. Without a list:
    /// the parameters of the path in their order, then the body.
    private static func sources(
        _ config: JSONObject, _ http: JSONObject, _ parts: [Part], takesBody: Bool
    ) -> [Source] {
        guard let inject = http["inject"]?.array else {
            var words: [JSONValue] = parts.compactMap { part in
                if case .parameter(let name) = part { ["route", .string(name)] } else { nil }
            }
            if takesBody { words.append("body") }
            return words.enumerated().map { Source(position: $0.offset, value: $0.element) }
        }
        let general = config["jsonrpc"]?["inject"]?.array ?? config[""]?["inject"]?.array
        return inject.enumerated().compactMap { index, value in
            guard let general else { return Source(position: index, value: value) }
            guard general.indices.contains(index), let word = general[index].string, word.hasPrefix("params."),
                let position = Int(word.dropFirst("params.".count)), (0..<256).contains(position)
            else { return nil }
            return Source(position: position, value: value)
        }
    }
}

/// The routes of all commands.
struct WebRoutes {
    let routes: [WebRoute]

    init(_ metadata: ServiceMetadata) {
        routes = metadata.commands.compactMap(WebRoute.init)
    }

    /// What a request leads to.
    enum Match: Equatable {
        case found(WebRoute, [String: String])
        /// The path is there, with these methods.
        case otherMethod([String])
        case none
    }

    func match(_ method: String, _ target: WebTarget) -> Match {
        var best: (WebRoute, [String: String])?
        var others: Set<String> = []
        for route in routes {
            guard let parameters = route.match(target.parts) else { continue }
            guard route.method == nil || route.method == method else {
                others.insert(route.method ?? "")
                continue
            }
            if best.map({ $0.0.precision < route.precision }) ?? true { best = (route, parameters) }
        }
        if let best { return .found(best.0, best.1) }
        return others.isEmpty ? .none : .otherMethod(others.sorted())
    }
}
