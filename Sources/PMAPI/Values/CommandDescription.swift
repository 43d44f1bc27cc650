public import JSON

/// The metadata from which clients build a command line for a call (`cli` kind) and place its arguments.
public struct CommandDescription: Equatable, Sendable {
    /// One option of the command line.
    public struct Option: Equatable, Sendable {
        let name: String
        let aliases: [String]
        let takesValue: Bool
        let doc: String

        /// A flag, or with `value` an option with a value; `aliases` are the other spellings, without dashes.
        public init(_ name: String, aliases: [String] = [], value: Bool = false, doc: String) {
            self.name = name
            self.aliases = aliases
            takesValue = value
            self.doc = doc
        }
    }

    /// The name on the wire.
    public var name: String
    /// One sentence.
    public var doc: String
    /// The positional part, `start <program>`; nil keeps the call off the command line.
    public var usage: String?
    /// The options.
    public var options: [Option]
    /// Sources of the positional parameters on a command line, in order: `options.program`, `context`…
    public var sources: [String]

    /// Describes a call that is on the command line.
    public init(_ method: Method, doc: String, usage: String?, sources: [String], options: [Option] = []) {
        name = method.rawValue
        self.doc = doc
        self.usage = usage
        self.options = options
        self.sources = sources
    }

    /// The entry of `$metadata`. The lists under `""` and `cli` are aligned by index: clients resolve the second and send
    /// what stands at the positions of the first.
    public var json: JSONValue {
        let positions = JSONValue.array(sources.indices.map { .string("params.\($0)") })
        var config = JSONObject()
        config[""] = ["inject": positions]
        if let usage { config["cli"] = cli(usage: usage) }
        config["doc"] = ["description": .string(doc)]
        return ["name": .string(name), "config": .object(config)]
    }

    private func cli(usage: String) -> JSONValue {
        var declared = JSONObject()
        for option in options {
            var entry = JSONObject()
            if !option.aliases.isEmpty { entry["aliases"] = .array(option.aliases.map { .string($0) }) }
            entry["needsValue"] = .bool(option.takesValue)
            entry["doc"] = .string(option.doc)
            declared[option.name] = .object(entry)
        }
        return [
            "usage": .string(usage), "options": .object(declared),
            "inject": .array(sources.map { .string($0) }),
        ]
    }
}

extension Method {
    /// The call's description; exhaustive, so that a new method cannot be forgotten in the metadata.
    public var description: CommandDescription {
        switch self {
        case .start: Start.description
        case .stop: Stop.description
        case .restart: Restart.description
        case .upgrade: Upgrade.description
        case .status: Status.description
        case .list: List.description
        case .map: Map.description
        case .unmap: Unmap.description
        case .rename: Rename.description
        case .discover: Discover.description
        case .connect: Connect.description
        case .log: Log.description
        case .events: ReadEvents.description
        case .version: Version.description
        case .name: Name.description
        case .ready: Ready.description
        case .proxy: Proxy.description
        case .confine: Confine.description
        case .clientSession: ClientSession.description
        case .scale: Scale.description
        case .apply: Apply.description
        case .explain: Explain.description
        case .reloadMetadata: ReloadMetadata.description
        case .bridge: Bridge.description
        case .plugins: Plugins.description
        case .installed: Installed.description
        case .metadata: Metadata.description
        }
    }

    /// True when `$metadata` lists the method; it does not list itself.
    public var isListed: Bool { self != .metadata }
}
