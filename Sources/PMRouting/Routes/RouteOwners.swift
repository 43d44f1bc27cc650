public import JSON
import PMAPI
public import PMModel
public import PMSystem

/// The routes of all services, and whose they are; decided again only when something about them has changed.
@PMActor
public final class RouteOwners {
    private var claims = RouteClaims()
    private var decided: RouteGrants?
    private let configured: @PMActor () -> [RouteClaims.Entry]
    private let onChange: @PMActor () -> Void

    /// Nobody wants a route yet. `configured` lists the services of the configuration, in its order; `onChange` is called
    /// when services want other routes than before, which are to be kept for a successor of this daemon.
    public init(
        configured: @escaping @PMActor () -> [RouteClaims.Entry] = { [] },
        onChange: @escaping @PMActor () -> Void = {}
    ) {
        self.configured = configured
        self.onChange = onChange
    }

    /// Notes what a service offers.
    func publish(_ metadata: ServiceMetadata, of unit: String, isConfined: Bool) {
        let requests = metadata.commands.compactMap { command in
            command.route.map { RouteClaims.Request(command.name, $0) }
        }
        // One more than there may be says that there are too many.
        let kept = Array(requests.prefix(RouteClaims.mostOfService + 1))
        guard claims.note(RouteClaims.Requests(kept, isConfined: isConfined), of: unit) else { return }
        decided = nil
        onChange()
    }

    /// Gives the routes of a unit up, which is not in the configuration any more.
    public func withdraw(_ unit: String) {
        guard claims.note(RouteClaims.Requests([], isConfined: false), of: unit) else { return }
        decided = nil
        onChange()
    }

    /// The configuration is another one.
    public func configurationChanged() { decided = nil }

    /// Routes and their services.
    public var grants: RouteGrants {
        if let decided { return decided }
        claims.order = configured()
        let grants = claims.decide()
        decided = grants
        return grants
    }

    // MARK: for a successor

    /// Wanted routes of services, in the order in which they were first known.
    public var json: JSONValue {
        .array(
            claims.known.map { unit, requests in
                [
                    "service": .string(unit), "confined": .bool(requests.isConfined),
                    "routes": .array(requests.requests.map(\.json)),
                ]
            })
    }

    /// Takes over what a predecessor knew; a service may have another name now.
    public func restore(_ json: JSONValue, rename: ServiceRename? = nil) {
        for entry in json.array ?? [] {
            guard let written = entry["service"]?.string else { continue }
            let unit = rename?.name(of: written) ?? written
            let requests = (entry["routes"]?.array ?? []).compactMap(RouteClaims.Request.init)
            _ = claims.note(RouteClaims.Requests(requests, isConfined: entry["confined"]?.bool ?? true), of: unit)
        }
        decided = nil
    }
}

extension RouteClaims.Request {
    /// JSON on the wire: `{command, method?, path}`.
    fileprivate var json: JSONValue {
        var members = JSONObject([("command", .string(command)), ("path", .string(pattern.path))])
        members["method"] = pattern.method.map { .string($0) }
        return .object(members)
    }

    fileprivate init?(_ json: JSONValue) {
        guard let command = json["command"]?.string, let path = json["path"]?.string,
            let pattern = RoutePattern(method: json["method"]?.string, route: path)
        else { return nil }
        self.init(command, pattern)
    }
}
