internal import JSON
public import PMModel
internal import PMSystem

/// The content of a `docker-config.json`: the program of a unit whose runtime is `docker`.
public struct DockerConfiguration: Equatable, Sendable {
    /// When the engine fetches the image from its registry.
    public enum Pull: String, Sendable, CaseIterable {
        /// When it has none of that name.
        case missing
        /// Fetch the image at each start.
        case always
        /// Not at all: one that is missing is an error.
        case never
    }

    /// A port of the container that is reachable from outside.
    public struct Port: Equatable, Sendable {
        /// Protocol of a port.
        public enum Transport: String, Sendable, CaseIterable {
            /// A TCP port.
            case tcp
            /// A UDP port.
            case udp
        }

        /// The address of the machine; loopback by default.
        public var address: String
        /// The port of the machine; 0: the engine chooses one.
        public var outside: UInt16
        /// The port in the container.
        public var inside: UInt16
        /// Protocol of the port.
        public var transport: Transport
    }

    /// Something of the machine that the container sees.
    public struct Volume: Equatable, Sendable {
        /// An absolute path of the machine, or the name of a volume of the engine.
        public var source: String
        /// Path in the container.
        public var target: String
        /// True when the container may not write to it.
        public var isReadOnly: Bool

        /// Names a volume.
        public init(source: String, target: String, isReadOnly: Bool) {
            (self.source, self.target, self.isReadOnly) = (source, target, isReadOnly)
        }
    }

    /// The image's name, with or without tag or digest.
    public var image = ""
    /// When it is fetched.
    public var pull = Pull.missing
    /// The words that are executed; none: what the image says.
    public var command: [String] = []
    /// Entry point, which gets the command as arguments; nil: that of the image.
    public var entrypoint: [String]?
    /// The path, in the container, of a list of commands that pm's host for Node is to serve.
    public var commands: String?
    /// Variables, before those of the mapping.
    public var environment: [EnvironmentVariable] = []
    /// The working directory in the container; nil: what the image says.
    public var workingDirectory: String?
    /// A user of the image, `NAME[:GROUP]` or numbers; nil: what the image says.
    public var user: String?
    /// The name of a network of the engine; nil: its bridge.
    public var network: String?
    /// Ports that are reachable from outside.
    public var ports: [Port] = []
    /// Folders and volumes that the container sees.
    public var volumes: [Volume] = []
    /// Labels of the container, as JSON text of an object of strings.
    public var labels = "{}"
    /// True when the container cannot write to its own file system.
    public var isReadOnly = false
    /// True when a small process 1 in the container reaps and forwards signals.
    public var hasInit = false
    /// Further members of the engine's HostConfig, as JSON text of an object.
    public var hostConfig = "{}"
    /// Names of units that must be ready before it starts.
    public var dependencies: [String] = []
    /// True when several containers of it may run at once.
    public var isStateless = false

    /// Reads such a file.
    ///
    /// - Throws: `ConfigError` when it cannot be read, or with every error in it, each with its line and column.
    public init(path: String) throws(ConfigError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(path, limit: 1 << 20)
        } catch {
            throw ConfigError(.missing, [ConfigProblem("cannot read the Docker configuration: \(error)")])
        }
        try self.init(path: path, bytes: bytes)
    }

    /// Reads the text of such a file; relative paths in it start from the folder of `path`.
    ///
    /// - Throws: `ConfigError` with every error of the text, each with its line and column.
    public init(path: String, bytes: [UInt8]) throws(ConfigError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: bytes)
        } catch {
            throw ConfigError(noJSON: error, in: path, isEmpty: bytes.isEmpty)
        }
        var reader = ConfigReader(document: document, file: path, values: .none)
        self = reader.docker(from: Paths.directory(of: path))
        let errors = reader.problems.filter { $0.severity == .error }
        if !errors.isEmpty { throw ConfigError(.invalid, errors) }
    }

    /// One that says nothing yet.
    init() {}
}
