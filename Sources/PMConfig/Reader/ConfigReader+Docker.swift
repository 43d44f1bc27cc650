internal import JSON
internal import PMModel

extension ConfigReader {
    static let dockerKeys = [
        "image", "pull", "command", "entrypoint", "commands", "environment", "workingDirectory", "user", "network",
        "ports",
        "volumes", "labels", "readOnly", "init", "hostConfig", "dependencies", "stateless",
    ]

    /// Reads a whole `docker-config.json`; relative paths start from `directory`.
    mutating func docker(from directory: String) -> DockerConfiguration {
        var configuration = DockerConfiguration()
        let root = ConfigNode(node: document.root, key: "")
        guard case .object = root.node.shape else {
            expected("an object", at: root)
            return configuration
        }
        for member in members(of: root) where !member.node.isNull {
            let place = root.child(member)
            if program(member.key, place, &configuration)
                || launchEnvironment(member.key, place, directory, &configuration)
            {
                continue
            }
            report(
                "unknown key", at: place,
                hint: NearNames.hint(for: member.key, among: Self.dockerKeys)
                    ?? "the keys are \(listed(Self.dockerKeys)); other settings of the engine go into \"hostConfig\"")
        }
        if configuration.image.isEmpty { report(#""image" is missing"#, at: root) }
        if configuration.commands != nil, !configuration.command.isEmpty || configuration.entrypoint != nil {
            report(
                #""command" and "entrypoint" cannot be used with "commands", which pm's host for Node serves"#, at: root
            )
        }
        return configuration
    }

    /// Reads a key about the program; false when the key is none of these.
    private mutating func program(_ key: String, _ place: ConfigNode, _ configuration: inout DockerConfiguration)
        -> Bool
    {
        switch key {
        case "image": configuration.image = filledString(place) ?? "?"
        case "pull": configuration.pull = choice(place) ?? .missing
        case "command": configuration.command = strings(place)
        case "entrypoint": configuration.entrypoint = strings(place)
        case "commands": configuration.commands = absolutePath(place)
        case "environment": configuration.environment = variables(place)
        case "workingDirectory": configuration.workingDirectory = absolutePath(place)
        case "user": configuration.user = filledString(place)
        case "dependencies": configuration.dependencies = strings(place)
        case "stateless": configuration.isStateless = bool(place)
        default: return false
        }
        return true
    }

    /// Reads a key about the container's surroundings; false when the key is none of these.
    private mutating func launchEnvironment(
        _ key: String, _ place: ConfigNode, _ directory: String, _ configuration: inout DockerConfiguration
    ) -> Bool {
        switch key {
        case "network": configuration.network = filledString(place)
        case "ports": configuration.ports = elements(of: place, "an array of ports").compactMap { port($0) }
        case "volumes":
            configuration.volumes = elements(of: place, "an array of volumes").compactMap { volume($0, directory) }
        case "labels": configuration.labels = labels(place)
        case "readOnly": configuration.isReadOnly = bool(place)
        case "init": configuration.hasInit = bool(place)
        case "hostConfig":
            _ = members(of: place)
            configuration.hostConfig = place.node.value.text
        default: return false
        }
        return true
    }

    private mutating func absolutePath(_ place: ConfigNode) -> String? {
        guard let path = filledString(place) else { return nil }
        if !path.hasPrefix("/") { report("must be an absolute path in the container", at: place) }
        return path
    }

    private mutating func labels(_ place: ConfigNode) -> String {
        for member in members(of: place) { _ = string(place.child(member)) }
        return place.node.value.text
    }

    private static let portForms =
        #""8080:80", "127.0.0.1:8080:80", "[::1]:8080:80" or "80", optionally followed by "/udp", or a number"#

    /// Reads `[[ADDRESS:]PORT:]PORT[/udp]`.
    private mutating func port(_ place: ConfigNode) -> DockerConfiguration.Port? {
        let text = place.node.int.map { "\($0)" } ?? place.node.string ?? ""
        guard let port = DockerConfiguration.Port(text) else {
            expected(Self.portForms, at: place)
            return nil
        }
        return port
    }

    /// `SOURCE:TARGET[:ro]`; a source with a slash or a dot in front is a path.
    private mutating func volume(_ place: ConfigNode, _ directory: String) -> DockerConfiguration.Volume? {
        guard let text = filledString(place) else { return nil }
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var isReadOnly = false
        if parts.count == 3, ["ro", "rw"].contains(parts[2]) { isReadOnly = parts.removeLast() == "ro" }
        guard parts.count == 2, !parts[0].isEmpty, parts[1].hasPrefix("/") else {
            expected(#""./data:/data", "/srv/data:/data:ro" or "volume:/data""#, at: place)
            return nil
        }
        let isPath = parts[0].hasPrefix("/") || parts[0].hasPrefix(".")
        let source = isPath ? Paths.resolve(parts[0], from: directory) : parts[0]
        return .init(source: source, target: parts[1], isReadOnly: isReadOnly)
    }
}

extension DockerConfiguration.Port {
    /// Reads `[[ADDRESS:]PORT:]PORT[/udp]`; nil when it is something else.
    fileprivate init?(_ text: String) {
        let ends = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let spoken = ends.count == 1 ? .tcp : Transport(rawValue: String(ends[1])), let ports = ends.first else {
            return nil
        }
        var rest = ports[...]
        var parts: [Substring] = []
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            // An address of IPv6 has colons of its own.
            parts.append(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            guard rest.hasPrefix(":") else { return nil }
            rest = rest.dropFirst()
        }
        parts += rest.split(separator: ":", omittingEmptySubsequences: false)
        // Only an address stands in brackets, and Swift's numbers may have a sign.
        guard (ports.hasPrefix("[") ? 3...3 : 1...3).contains(parts.count), !text.contains("+"),
            let inside = UInt16(parts[parts.count - 1]), inside > 0,
            let outside = parts.count == 1 ? 0 : UInt16(parts[parts.count - 2])
        else { return nil }
        let address = parts.count == 3 ? String(parts[0]) : "127.0.0.1"
        guard ports.hasPrefix("[") ? NumericAddress.isIPv6(address) : NumericAddress.isIPv4(address) else { return nil }
        self.init(address: address, outside: outside, inside: inside, transport: spoken)
    }
}
