/// Which runtime driver turns a unit into a process (`type` in the configuration).
public enum RuntimeKind: Equatable, Sendable, CaseIterable, RawRepresentable {
    /// A child process: a `commands.json` container in a Node process, or any executable.
    case nodejs
    /// A worker thread of a Node process.
    case worker
    /// A container of a Docker engine.
    case docker
    /// A driver of a plugin, by the name that the plugin gives the runtime.
    case plugin(String)

    /// The runtimes of pm itself.
    public static let allCases: [RuntimeKind] = [.nodejs, .worker, .docker]

    /// True where Node runs the program.
    public var isOfNode: Bool {
        switch self {
        case .nodejs, .worker: true
        case .docker, .plugin: false
        }
    }

    /// The word of the configuration.
    public var rawValue: String {
        switch self {
        case .nodejs: "nodejs"
        case .worker: "worker"
        case .docker: "docker"
        case .plugin(let name): name
        }
    }

    /// The runtime of a word; nil when no runtime can be called so.
    public init?(rawValue word: String) {
        if let own = Self.allCases.first(where: { $0.rawValue == word }) {
            self = own
        } else if PluginWord.isValid(word) {
            self = .plugin(word)
        } else {
            return nil
        }
    }
}

/// The program that runs the commands of a Node service (`host` in the configuration).
public enum ServiceHost: String, Sendable, CaseIterable {
    /// That of pm.
    case pm
    /// That of the reference implementation, from the `@akala/pm` that the service has installed.
    case reference
}

/// *What* to run: a service definition, one entry of `containers` in the configuration.
public struct ContainerDefinition: Equatable, Sendable {
    /// The program: an absolute path, a path relative to the configuration file, or a `file://` URL.
    public var path: String
    /// The runtime driver; `nodejs` where the configuration names none.
    public var runtime: RuntimeKind
    /// True when the unit answers JSON-RPC.
    public var isCommandable: Bool
    /// True when several instances may run at once.
    public var isStateless: Bool
    /// Names of the units that must be ready before this one starts.
    public var dependencies: [String]
    /// The program that runs its commands.
    public var host: ServiceHost
}

// Not in the struct itself, which so keeps the initializer that names each of its members (ServiceComparison).
extension ContainerDefinition {
    /// Makes a definition; everything but the path has the seed's default.
    public init(
        path: String, runtime: RuntimeKind = .nodejs, isCommandable: Bool = false, isStateless: Bool = false,
        dependencies: [String] = []
    ) {
        self.path = path
        self.runtime = runtime
        self.isCommandable = isCommandable
        self.isStateless = isStateless
        self.dependencies = dependencies
        host = .pm
    }

    /// True when a service of it has a channel for calls. A list of commands has one even if no client may call it, because
    /// the host runs it.
    public var hasCommands: Bool {
        isCommandable || host == .reference || (runtime.isOfNode && path.hasSuffix(".json"))
    }

    /// The check that tells when a service of it is ready, if the mapping names none.
    public var usualReadiness: ReadinessCheck { .usual(hasCommands: hasCommands, in: runtime) }

    /// The definition in the place of another one. Dependencies that somebody wrote into the configuration stay when the
    /// program names none.
    public func replacing(_ old: ContainerDefinition?) -> ContainerDefinition {
        var new = self
        if new.dependencies.isEmpty, let old { new.dependencies = old.dependencies }
        return new
    }
}
