/// The place of one key of a service in the configuration: under its mapping, or under the container that this runs.
public enum ServiceKey {
    /// Every first key.
    public static var all: [String] {
        let own = ConfigReader.mappingKeys.filter { $0 != "container" }
        return own + ConfigReader.containerKeys.filter { !ConfigReader.mappingKeys.contains($0) }
    }

    /// The keys that lead to it, `["mapping", "web", "limits", "memory"]`.
    ///
    /// - Parameter key: one key, or several with dots between them; a name of a variable may have dots.
    /// - Throws: `ConfigError` with near names for a key that no service has.
    public static func path(
        of key: String, service: String, in configuration: Configuration
    ) throws(ConfigError) -> [String] {
        let (first, rest) = split(key)
        let section: [String]
        if ConfigReader.containerKeys.contains(first), first != "dependencies" {
            section = ["containers", configuration.mapping(service)?.container ?? service]
        } else if ConfigReader.mappingKeys.contains(first) {
            section = ["mapping", service]
        } else {
            let known = ConfigReader.mappingKeys + ConfigReader.containerKeys
            let hint = ForeignKeys.advice(for: first) ?? NearNames.hint(for: first, among: known)
            throw ConfigError(
                .invalid, "a service has no key \"\(first)\"",
                hint: hint ?? "the keys are \(known.joined(separator: ", "))")
        }
        // What follows is a name of the user's, which may have dots.
        let isName = first == "env" || first == "connect" || first == "config"
        let parts = isName ? rest.map { [$0] } ?? [] : rest.map { $0.split(separator: ".").map(String.init) } ?? []
        return section + [first] + parts
    }

    private static func split(_ key: String) -> (first: String, rest: String?) {
        guard let dot = key.firstIndex(of: ".") else { return (key, nil) }
        return (String(key[..<dot]), String(key[key.index(after: dot)...]))
    }
}
