import JSON
import PMAPI
import PMModel

/// One route: the command that has it in its `http` configuration, and how the command is called.
struct WebRoute: Equatable {
    /// Kind of an answer's body.
    enum Kind: String {
        case json, text, xml, raw
    }

    /// The command, `SERVICE.COMMAND`.
    let command: String
    /// The requests that it is for.
    let pattern: RoutePattern
    let kind: Kind
    /// The type of the answer, when the command gives one.
    let contentType: String?
    /// The parameters of the call, each with its position.
    let sources: [Source]
    /// The command's `schema` configuration.
    let schema: JSONObject

    /// Source of one parameter.
    struct Source: Equatable {
        let position: Int
        let value: JSONValue
    }

    /// The route of a command; nil when it has none, or may not be called from outside its service.
    init?(_ metadata: CommandMetadata) {
        guard metadata.isCallable, let pattern = metadata.route, let http = metadata.config["http"]?.object else {
            return nil
        }
        command = metadata.name
        self.pattern = pattern
        kind = http["type"]?.string.flatMap(Kind.init) ?? .json
        contentType = http["contentType"]?.string
        sources = Self.sources(metadata.config, http, pattern.parts, takesBody: pattern.method != "GET")
        schema = metadata.config["schema"]?.object ?? JSONObject()
    }

    /// Method of HTTP, in capitals; nil: any.
    var method: String? { pattern.method }
    /// The path as it was written, `/users/{id}`.
    var path: String { pattern.path }

    /// Entry i of `http.inject` goes where entry i of `jsonrpc.inject`, else of the general list, says. Without a list:
    /// the parameters of the path in their order, then the body.
    private static func sources(
        _ config: JSONObject, _ http: JSONObject, _ parts: [RoutePattern.Part], takesBody: Bool
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

/// The routes of all commands, as the daemon gave them to the services.
struct WebRoutes {
    let routes: [WebRoute]
    /// Routes of services that do not run.
    private let claims: [ServiceMetadata.Claim]

    init(_ metadata: ServiceMetadata) {
        routes = metadata.commands.compactMap(WebRoute.init)
        claims = metadata.claims
    }

    /// Result of a look-up.
    enum Match: Equatable {
        case found(WebRoute, [String: String])
        /// The path belongs to this service, which does not run.
        case stopped(String)
        /// The path is there, with these methods.
        case otherMethod([String])
        case none
    }

    func match(_ method: String, _ target: WebTarget) -> Match {
        var best: (WebRoute, [String: String])?
        for route in routes where Self.takes(route.pattern, method) {
            guard let parameters = route.pattern.match(target.parts) else { continue }
            if best.map({ Self.rank($0.0, method) < Self.rank(route, method) }) ?? true { best = (route, parameters) }
        }
        if let best { return .found(best.0, best.1) }
        let claim = claims.first { Self.takes($0.pattern, method) && $0.pattern.match(target.parts) != nil }
        if let claim { return .stopped(claim.service) }
        let others = methods(of: target)
        return others.isEmpty ? .none : .otherMethod(others)
    }

    /// HEAD is for every path that GET is for (RFC 9110, section 9.3.2).
    private static func takes(_ pattern: RoutePattern, _ method: String) -> Bool {
        pattern.method == nil || pattern.method == method || (method == "HEAD" && pattern.method == "GET")
    }

    /// Of routes for one path that with more fixed parts is meant, of those the one that is for HEAD itself.
    private static func rank(_ route: WebRoute, _ method: String) -> Int {
        2 * route.pattern.precision + (method == "HEAD" && route.method == "HEAD" ? 1 : 0)
    }

    /// The methods that the path has a route for, with HEAD and OPTIONS; none when it has no route.
    func methods(of target: WebTarget) -> [String] {
        let patterns = (routes.map(\.pattern) + claims.map(\.pattern)).filter { $0.match(target.parts) != nil }
        guard !patterns.isEmpty else { return [] }
        let methods = patterns.flatMap { pattern in
            switch pattern.method {
            case nil: WebAccess.methods
            case "GET"?: ["GET", "HEAD"]
            case let method?: [method]
            }
        }
        return Set(methods + ["OPTIONS"]).sorted()
    }
}
