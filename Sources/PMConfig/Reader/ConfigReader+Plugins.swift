internal import JSON
internal import PMModel

extension ConfigReader {
    static let pluginKeys = ["name", "options"]
    static let probeKeys = ["name", "options"]

    /// Limit of the number of plugins: each is a process.
    static let mostPlugins = 64

    /// `["./hello", {"name": "@acme/webhook", "options": {...}}]`.
    mutating func plugins(_ place: ConfigNode) -> [PluginReference] {
        let plugins = elements(of: place, "an array of plugins").compactMap { plugin($0) }
        if plugins.count > Self.mostPlugins {
            report("has \(plugins.count) plugins, and pm runs \(Self.mostPlugins) at most", at: place)
        }
        return plugins
    }

    private mutating func plugin(_ place: ConfigNode) -> PluginReference? {
        switch place.node.shape {
        case .string: return filledString(place).map { PluginReference($0) }
        case .object:
            return named(place, "plugin", Self.pluginKeys).map { PluginReference($0.name, options: $0.options) }
        case .null, .bool, .number, .array:
            expected(#"the name of a package, a path, or {"name": …, "options": …}"#, at: place)
            return nil
        }
    }

    /// The name of a check of a plugin, or an object with its name and options.
    mutating func probe(_ place: ConfigNode) -> PluginProbe? {
        var probe: PluginProbe?
        switch place.node.shape {
        case .string(let name): probe = PluginProbe(name)
        case .object: probe = named(place, "probe", Self.probeKeys).map { PluginProbe($0.name, options: $0.options) }
        case .null, .bool, .number, .array: break
        }
        if let probe, PluginWord.isValid(probe.name) { return probe }
        expected(#"the name of a check of a plugin, or {"name": …, "options": …}"#, at: place)
        return nil
    }

    /// The members of an object with a name and options.
    private mutating func named(_ place: ConfigNode, _ what: String, _ keys: [String]) -> (
        name: String, options: String?
    )? {
        var (name, options): (String?, String?)
        for member in members(of: place) {
            switch member.key {
            case "name": name = filledString(place.child(member))
            case "options": options = member.node.isNull ? nil : member.node.value.text
            default: unknown(member, in: place, known: keys)
            }
        }
        if name == nil, place.node["name"] == nil { report(#""name" of the \#(what) is missing"#, at: place) }
        return name.map { ($0, options) }
    }

    /// False where there are only the runtimes of pm. With plugins, the daemon says which of them has which runtime.
    var hasPlugins: Bool { resolved.root["plugins"]?.elements.isEmpty == false }
}
