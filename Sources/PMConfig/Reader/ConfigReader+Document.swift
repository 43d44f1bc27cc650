internal import JSON
internal import PMModel

extension ConfigReader {
    /// Reads the whole file.
    mutating func configuration() -> Configuration {
        var configuration = Configuration()
        let root = ConfigNode(node: resolved.root, key: "")
        guard case .object = root.node.shape else {
            expected("an object", at: root)
            return configuration
        }
        var others: [JSONNode.Member] = []
        for member in members(of: root) {
            let place = root.child(member)
            switch member.key {
            case "containers": configuration.containers = containers(place)
            case "mapping": configuration.mappings = mappings(place)
            case "plugins": configuration.plugins = plugins(place)
            case "setup": configuration.packages = packages(place)
            case "$schema": _ = string(place)
            case "profiles": profiles(place)
            default: others.append(member)
            }
        }
        // What has the name of a container is that container's own state.
        for member in others where configuration.container(member.key) == nil {
            unknownAtRoot(member, in: root, known: Self.rootKeys)
        }
        checkReferences(configuration, root)
        checkServices(configuration, root)
        return configuration
    }

    /// Checks the form of profiles; what the chosen one says is read with the rest of the file.
    private mutating func profiles(_ place: ConfigNode) {
        for profile in members(of: place, "an object of profiles") {
            let entry = place.child(profile)
            if profile.key.isEmpty { report("the name of a profile must not be empty", at: entry) }
            for member in members(of: entry) {
                let section = entry.child(member)
                guard Self.profileKeys.contains(member.key) else {
                    unknown(member, in: entry, known: Self.profileKeys)
                    continue
                }
                if section.node.isObject { continue }
                let isList = member.key == "plugins" && section.node.isArray
                if !section.node.isNull && !isList { expected("an object", at: section) }
            }
        }
    }

    mutating func packages(_ place: ConfigNode) -> [String] {
        var packages: [String] = []
        for member in members(of: place) where member.key == "packages" { packages = strings(place.child(member)) }
        return packages
    }

    private mutating func containers(_ place: ConfigNode) -> [Configuration.Named<ContainerDefinition>] {
        members(of: place).compactMap { member in
            let place = place.child(member)
            checkName(member.key, at: place)
            return container(place, name: member.key).map { .init(name: member.key, value: $0) }
        }
    }

    mutating func container(_ place: ConfigNode, name: String) -> ContainerDefinition? {
        var definition = ContainerDefinition(path: "")
        for member in members(of: place) {
            let place = place.child(member)
            switch member.key {
            case "path": definition.path = filledString(place) ?? "?"
            case "type": definition.runtime = runtime(place)
            case "commandable": definition.isCommandable = bool(place)
            case "stateless": definition.isStateless = bool(place)
            case "dependencies": definition.dependencies = strings(place)
            case "host": definition.host = place.node.isNull ? .pm : choice(place) ?? .pm
            default:
                unknown(
                    member, in: ConfigNode(node: place.node, key: "containers.\(name)"), known: Self.containerKeys,
                    elsewhere: Self.belongs(member.key, "mapping", Self.mappingKeys))
            }
        }
        guard case .object = place.node.shape else {
            if place.node.isNull { expected("an object", at: place) }
            return nil
        }
        // The daemon stands in its own file without a program.
        if definition.path.isEmpty && name != "pm" { report(#""path" is missing"#, at: place) }
        if definition.host == .reference && definition.runtime != .nodejs {
            report(#""host": "reference" needs the type "nodejs""#, at: place)
        }
        return definition
    }

    static let rootKeys = ["containers", "mapping", "plugins", "setup", "profiles"]
    static let profileKeys = ["containers", "mapping", "plugins", "setup"]

    /// The hint about a key that belongs into another section; nil when it does not.
    static func belongs(_ key: String, _ section: String, _ keys: [String]) -> String? {
        keys.contains(key) ? "move it to the same name under \"\(section)\"" : nil
    }

    static let containerKeys = ["path", "type", "commandable", "stateless", "dependencies", "host"]

    /// The reference writes null where no runtime was given.
    private mutating func runtime(_ place: ConfigNode) -> RuntimeKind {
        if place.node.isNull { return .nodejs }
        let kind: RuntimeKind? = choice(place)
        if case .plugin = kind, !hasPlugins {
            expected(listed(RuntimeKind.allCases.map(\.rawValue)), at: place)
            return .nodejs
        }
        return kind ?? .nodejs
    }

    private mutating func mappings(_ place: ConfigNode) -> [Configuration.Named<Mapping>] {
        members(of: place).compactMap { member in
            let place = place.child(member)
            checkName(member.key, at: place)
            return mapping(place, name: member.key).map { .init(name: member.key, value: $0) }
        }
    }

    /// Rules for names: a name becomes a directory of logs and a word of the command line.
    private mutating func checkName(_ name: String, at place: ConfigNode) {
        do throws(UnitName.Problem) {
            _ = try UnitName(name)
        } catch {
            report("the name \(error)", at: place)
        }
    }

    /// Names that lead nowhere are warnings: the other units of the file must still start.
    private mutating func checkReferences(_ configuration: Configuration, _ root: ConfigNode) {
        let names = configuration.containers.map(\.name)
        for member in members(silentlyOf: root.node["mapping"]) {
            guard let mapping = configuration.mapping(member.key),
                configuration.container(mapping.container) == nil
            else { continue }
            guard member.key != "pm" else { continue }
            let node = member.node["container"] ?? member.node
            let hint = Self.absenceHint(mapping.container, member, names)
            report(
                "there is no container \"\(mapping.container)\"",
                at: ConfigNode(node: node, key: "mapping.\(member.key).container"), hint: hint, severity: .warning)
        }
        for section in ["containers", "mapping"] {
            for member in members(silentlyOf: root.node[section]) {
                checkDependencies(of: member, in: section, configuration)
            }
        }
    }

    /// The next step for a mapping of a container that does not exist.
    private static func absenceHint(_ container: String, _ mapping: JSONNode.Member, _ names: [String]) -> String {
        if mapping.node["path"] != nil {
            return "move \"path\" to \"containers\": { \"\(container)\": { \"path\": ... } }"
        }
        return NearNames.hint(for: container, among: names) ?? "pm map \(container.shellWord) PROGRAM adds one"
    }

    private mutating func checkDependencies(
        of member: JSONNode.Member, in section: String, _ configuration: Configuration
    ) {
        for element in member.node["dependencies"]?.elements ?? [] {
            let node = element["name"] ?? element
            guard let name = node.string, configuration.fullName(name) == nil else { continue }
            report(
                "there is no service \"\(name)\" to depend on",
                at: ConfigNode(node: node, key: "\(section).\(member.key).dependencies"),
                hint: NearNames.hint(for: name, among: configuration.unitNames), severity: .warning)
        }
    }

    /// The members again, for a second look at what has been reported already.
    private func members(silentlyOf node: JSONNode?) -> [JSONNode.Member] { node?.members ?? [] }
}
