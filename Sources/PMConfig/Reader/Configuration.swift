public import PMModel

/// The content of a configuration file, as values.
public struct Configuration: Equatable, Sendable {
    /// A value and the name it stands under.
    public struct Named<Value: Equatable & Sendable>: Equatable, Sendable {
        /// The name.
        public var name: String
        /// The value.
        public var value: Value
    }

    /// The definitions, in the order of the file.
    public var containers: [Named<ContainerDefinition>] = [] {
        didSet {
            containerPlaces = Self.places(containers)
            noteScopes()
        }
    }
    /// The mappings, in the order of the file.
    public var mappings: [Named<Mapping>] = [] {
        didSet {
            mappingPlaces = Self.places(mappings)
            noteScopes()
        }
    }
    /// Plugins of the daemon, in the order of the file.
    public var plugins: [PluginReference] = []
    /// Packages whose containers belong to this configuration (`setup.packages`).
    public var packages: [String] = []

    private var containerPlaces: [String: Int] = [:]
    private var mappingPlaces: [String: Int] = [:]
    /// The names with a scope, by the part behind it.
    private var scoped: [String: Set<String>] = [:]

    /// An empty configuration.
    public init() {}

    /// The definition of that name.
    public func container(_ name: String) -> ContainerDefinition? {
        containerPlaces[name].map { containers[$0].value }
    }

    /// The mapping of that name.
    public func mapping(_ name: String) -> Mapping? {
        mappingPlaces[name].map { mappings[$0].value }
    }

    /// The unit that `pm start NAME` starts: a mapping and the definition it names, else a definition with a mapping of
    /// defaults.
    public func unit(_ name: String) -> ConfiguredUnit? {
        if let mapping = mapping(name), let definition = container(mapping.container) {
            return ConfiguredUnit(name: name, definition: definition, mapping: mapping)
        }
        guard let definition = container(name) else { return nil }
        var mapping = mapping(name) ?? Mapping(container: name)
        mapping.container = name
        return ConfiguredUnit(name: name, definition: definition, mapping: mapping)
    }

    /// Every name that can be started, in the order of the file, mappings first; `pm` itself is not among them.
    public var unitNames: [String] {
        let mapped = mappings.map(\.name).filter { $0 != "pm" && isUnit($0) }
        return mapped + containers.map(\.name).filter { $0 != "pm" && mappingPlaces[$0] == nil }
    }

    /// True when `unit` finds one; nothing is copied for it.
    private func isUnit(_ name: String) -> Bool {
        containerPlaces[name] != nil
            || mappingPlaces[name].map { containerPlaces[mappings[$0].value.container] != nil } ?? false
    }

    /// The names that `name` is without their scope, sorted: `@myorg/api` for `api`.
    public func names(withoutScope name: String) -> [String] { (scoped[name] ?? []).sorted() }

    /// The name that is meant: `name` itself if it exists, else the only one that it is without its scope, also with the number of
    /// an instance; nil when there is none, or more than one.
    public func fullName(_ name: String) -> String? {
        if containerPlaces[name] != nil || mappingPlaces[name] != nil { return name }
        let instance = InstanceName(name)
        let names = scoped[instance?.unit ?? name] ?? []
        guard names.count == 1, let full = names.first else { return nil }
        return instance.map { "\(full)#\($0.number)" } ?? full
    }

    private mutating func noteScopes() {
        scoped = [:]
        for container in containers { noteScope(container.name) }
        for mapping in mappings { noteScope(mapping.name) }
    }

    private mutating func noteScope(_ name: String) {
        guard name.utf8.first == UInt8(ascii: "@"), let slash = name.firstIndex(of: "/") else { return }
        scoped[String(name[name.index(after: slash)...]), default: []].insert(name)
    }

    /// Names like `name` that exist, nearest first, for "did you mean".
    public func namesNear(_ name: String) -> [String] { NearNames.of(name, among: unitNames) }

    private static func places<Value>(_ list: [Named<Value>]) -> [String: Int] {
        Dictionary(list.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
    }
}

/// A definition and how it is run, under one name.
public struct ConfiguredUnit: Equatable, Sendable {
    /// The name it is started by.
    public var name: String
    /// The program and its properties.
    public var definition: ContainerDefinition
    /// Settings of the program; `mapping.container` names the definition.
    public var mapping: Mapping

    /// Makes a unit.
    public init(name: String, definition: ContainerDefinition, mapping: Mapping) {
        self.name = name
        self.definition = definition
        self.mapping = mapping
    }

    /// The absolute path of the program; `directory` is the configuration's.
    ///
    /// - Throws: `ConfigError` for a URL that is not a `file://` one.
    public func programPath(in directory: String) throws(ConfigError) -> String {
        if let path = PackageURL.path(definition.path, in: directory) { return path }
        return try resolved(definition.path, in: directory, key: "containers.\(mapping.container).path")
    }

    /// The absolute working directory: `cwd`, else the configuration's.
    ///
    /// - Throws: `ConfigError` for a URL that is not a `file://` one.
    public func workingDirectory(in directory: String) throws(ConfigError) -> String {
        guard let cwd = mapping.cwd else { return directory }
        return try resolved(cwd, in: directory, key: "mapping.\(name).cwd")
    }

    /// The absolute paths of the environment files, in their order.
    ///
    /// - Throws: `ConfigError` for a URL that is not a `file://` one.
    public func environmentFiles(in directory: String) throws(ConfigError) -> [String] {
        var paths: [String] = []
        for file in mapping.envFiles {
            paths.append(try resolved(file, in: directory, key: "mapping.\(name).envFiles"))
        }
        return paths
    }

    /// The sockets of `listen`, their paths absolute.
    ///
    /// - Throws: `ConfigError` for a URL that is not a `file://` one.
    public func sockets(in directory: String) throws(ConfigError) -> [ListenPoint] {
        var points = mapping.listen
        for index in points.indices {
            guard case .unix(let path) = points[index].address else { continue }
            points[index].address = .unix(path: try resolved(path, in: directory, key: "mapping.\(name).listen"))
        }
        return points
    }

    /// The absolute paths of what a sandbox leaves writable besides `cwd`.
    ///
    /// - Throws: `ConfigError` for a URL that is not a `file://` one.
    public func writablePaths(in directory: String) throws(ConfigError) -> [String] {
        var paths: [String] = []
        for path in mapping.sandbox.writable {
            paths.append(try resolved(path, in: directory, key: "mapping.\(name).sandbox.writable"))
        }
        return paths
    }

    private func resolved(_ text: String, in directory: String, key: String) throws(ConfigError) -> String {
        if let path = Paths.path(ofFileURL: text) { return Paths.normalized(path) }
        if !isURL(text) { return Paths.resolve(text, from: directory) }
        var problem = ConfigProblem(
            "cannot use the URL \"\(text)\"", hint: "give a path, or a file:// URL with an absolute path")
        problem.key = key
        throw ConfigError(.invalid, [problem])
    }
}

/// True when a text begins with a URL's scheme and `//`.
func isURL(_ text: String) -> Bool {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon != text.startIndex else { return false }
    let scheme = text.utf8[..<colon]
    return text.utf8[colon...].starts(with: "://".utf8) && !scheme.contains(UInt8(ascii: "/"))
}
