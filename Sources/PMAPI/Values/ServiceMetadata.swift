public import JSON
public import PMModel

/// One command and how each kind of caller reaches it.
public struct CommandMetadata: Equatable, Sendable {
    /// The command's name; in the daemon's deep metadata `SERVICE.COMMAND`.
    public var name: String
    /// Configurations by kind: `""`, `cli`, `jsonrpc`, `fs`…; kept as they came.
    public var config: JSONObject

    /// Makes a command.
    public init(name: String, config: JSONObject) {
        self.name = name
        self.config = config
    }

    /// The command of a method of the daemon.
    public init(description: CommandDescription) {
        name = description.name
        config = description.json["config"]?.object ?? JSONObject()
    }

    /// True when a second call does no more than the first, so that the call may be repeated when its answer is lost.
    public var isIdempotent: Bool {
        config[""]?["idempotent"]?.bool == true || config["jsonrpc"]?["idempotent"]?.bool == true
    }

    /// True unless the configuration has `"jsonrpc": false`.
    public var isCallable: Bool { config["jsonrpc"]?.bool != false }

    /// The requests of HTTP that it is for, by its `http` configuration; nil when it has no route, or one that is too long.
    public var route: RoutePattern? {
        guard let http = config["http"]?.object, let route = http["route"]?.string else { return nil }
        return RoutePattern(method: http["method"]?.string, route: route)
    }

    /// True when callers other than the daemon may see it: only the daemon calls `$init` and `$stop`.
    public var isPublished: Bool { name != "$init" && name != "$stop" && name != "$metadata" }
}

/// The commands of a service.
public struct ServiceMetadata: Equatable, Sendable {
    /// The service's own name.
    public var name: String
    /// Commands of the service.
    public var commands: [CommandMetadata]
    /// Other members (`stateless`, `dependencies`, `$schema`…), kept as they came.
    public var others = JSONObject()

    /// Makes metadata.
    public init(name: String, commands: [CommandMetadata]) {
        self.name = name
        self.commands = commands
    }

    /// The command of a name.
    public func command(_ name: String) -> CommandMetadata? { commands.first { $0.name == name } }
}

extension CommandMetadata: WireValue {
    /// Reads a command; throws a 502 without a name. A missing `config` is an empty one.
    public init(json: JSONValue) throws(APIError) {
        guard let name = json["name"]?.string else { throw APIError.malformedAnswer("a command was expected", json) }
        self.init(name: name, config: json["config"]?.object ?? JSONObject())
    }

    /// JSON on the wire: `{name, config}`.
    public var json: JSONValue { ["name": .string(name), "config": .object(config)] }
}

extension ServiceMetadata: WireValue {
    /// Reads metadata; throws a 502 without a list of commands.
    public init(json: JSONValue) throws(APIError) {
        guard var members = json.object, let list = members["commands"] else {
            throw APIError.malformedAnswer("metadata was expected", json)
        }
        self.init(name: members["name"]?.string ?? "", commands: try [CommandMetadata](json: list))
        members["name"] = nil
        members["commands"] = nil
        others = members
    }

    /// JSON on the wire: `{name, commands, …}`.
    public var json: JSONValue {
        var members = JSONObject()
        members["name"] = .string(name)
        members["commands"] = commands.json
        for (key, value) in others { members[key] = value }
        return .object(members)
    }
}

extension ServiceMetadata {
    /// Sentences about faults of the service; the daemon shows those of its own parts in `status`.
    public var problems: [String] {
        get { (others["problems"]?.array ?? []).compactMap(\.string) }
        set { others["problems"] = newValue.isEmpty ? nil : .array(newValue.map { .string($0) }) }
    }
}

extension ServiceMetadata {
    /// The part that a container or a client on the network may see: the commands that it may call, without paths of
    /// files.
    public var forConfined: ServiceMetadata {
        var metadata = ServiceMetadata(name: name, commands: [])
        for command in commands where command.isCallable {
            var shown = command
            shown.config["fs"] = nil
            metadata.commands.append(shown)
        }
        return metadata
    }
}

extension ServiceMetadata {
    /// A route of a service that does not run: the service keeps it, and nobody else answers for it.
    public struct Claim: Equatable, Sendable {
        /// Name of the service.
        public var service: String
        /// The requests.
        public var pattern: RoutePattern

        /// Makes a claim.
        public init(service: String, pattern: RoutePattern) {
            self.service = service
            self.pattern = pattern
        }
    }

    /// Routes of services that do not run, in the daemon's deep metadata: `[{service, route}]`.
    public var claims: [Claim] {
        get {
            (others["claims"]?.array ?? []).compactMap { claim in
                guard let service = claim["service"]?.string,
                    let pattern = claim["route"]?.string.flatMap(RoutePattern.init(entry:))
                else { return nil }
                return Claim(service: service, pattern: pattern)
            }
        }
        set {
            let list = newValue.map { claim -> JSONValue in
                ["service": .string(claim.service), "route": .string(claim.pattern.text)]
            }
            others["claims"] = list.isEmpty ? nil : .array(list)
        }
    }
}
