internal import PMModel

/// The owner of a daemon.
public enum DaemonScope: String, Sendable, CaseIterable {
    /// The one of a project: its configuration stands in the working directory or above.
    case project
    /// The one of a user, for all their projects.
    case user
    /// The one of the machine.
    case system
}

/// Paths of one daemon. One configuration file has one daemon: all paths follow from the file's real path.
public struct DaemonLocation: Equatable, Sendable {
    /// The name of a configuration file.
    public static let configName = ".pm.config.json"

    /// The owner of the daemon.
    public var scope: DaemonScope
    /// The configuration file, absolute and without symbolic links; it need not exist yet.
    public var configFile: String
    /// True when the configuration file existed at the search.
    public var hasConfigFile: Bool
    /// Directory of the daemon's lock, its own output, logs and death records.
    public var stateDirectory: String
    /// True when the state directory is for pm alone, because no variable names another one.
    var isStateDirectoryOwn: Bool
    /// Path of the daemon's socket; at most 107 bytes, the size of sockaddr_un (unix(7)).
    public var socketPath: String
    /// Configuration files nearer than this one that were passed over, each with the reason; usually none.
    public var passedOver: [ConfigProblem] = []

    /// Why nothing that the configuration says is run: somebody who is not trusted could have written it.
    public var distrust: ConfigProblem?

    /// True when the socket is in the runtime folder of the user, where no other user can have one.
    public var isSocketInRuntimeDirectory: Bool { scope != .system && socketDirectory != configDirectory }

    /// Folders of the daemon that variables of the user lead to, and that are for pm alone.
    var foldersOfVariables: [String] {
        guard scope != .system else { return [] }
        return (isStateDirectoryOwn ? [Paths.directory(of: stateDirectory)] : [])
            + (isSocketInRuntimeDirectory ? [socketDirectory] : [])
    }

    /// The folder of the configuration file: relative paths in it start here, and so do services without `cwd`.
    public var configDirectory: String { Paths.directory(of: configFile) }
    /// The file that pm-init holds a lock on as long as it lives.
    public var lockPath: String { stateDirectory + "/lock" }
    /// The daemon's own output.
    public var daemonLogPath: String { stateDirectory + "/pmd.log" }
    /// Mark in the environment of the daemon's processes: 16 hexadecimal digits of the configuration's real path.
    public var marker: String { Fingerprint(of: configFile).digits }
    /// The socket as existing clients look for it, `jsonrpc+unix:///srv/app/pm.sock`.
    public var socketURL: String { Paths.socketURL(socketPath) }

    /// The location that belongs to a configuration file (absolute, without symbolic links).
    public init(
        scope: DaemonScope, configFile: String, hasConfigFile: Bool, context: LocationContext
    ) throws(ConfigError) {
        self.scope = scope
        self.configFile = configFile
        self.hasConfigFile = hasConfigFile
        isStateDirectoryOwn = (context.environment["PM_STATE_DIR"] ?? "").isEmpty
        stateDirectory = try Self.stateDirectory(scope, configFile, context)
        socketPath = try Self.socketPath(scope, configFile, context)
    }

    private static func stateDirectory(
        _ scope: DaemonScope, _ configFile: String, _ context: LocationContext
    ) throws(ConfigError) -> String {
        if let directory = context.environment["PM_STATE_DIR"], !directory.isEmpty {
            return Paths.resolve(directory, from: context.workingDirectory)
        }
        switch scope {
        case .project: return projectStateDirectory(of: configFile, in: try context.userStateDirectory())
        case .user: return try context.userStateDirectory() + "/user"
        case .system: return "/var/lib/pm"
        }
    }

    /// The state directory of a project, by its configuration file and the folder of the user's state directories.
    public static func projectStateDirectory(of configFile: String, in userStateDirectory: String) -> String {
        let folder = Paths.name(of: Paths.directory(of: configFile))
        return userStateDirectory + "/\(folder)-\(Fingerprint(of: configFile).digits)"
    }

    private static func socketPath(
        _ scope: DaemonScope, _ configFile: String, _ context: LocationContext
    ) throws(ConfigError) -> String {
        let path: String
        switch scope {
        case .project: path = projectSocketPath(configFile, context)
        case .user: path = context.runtimeDirectory + "/pm.sock"
        case .system: path = "/run/pm/pm.sock"
        }
        guard path.utf8.count <= longestSocketPath else {
            throw ConfigError(
                .missing, "the socket path \(path) is longer than \(longestSocketPath) bytes",
                hint: "set XDG_RUNTIME_DIR to a shorter directory")
        }
        return path
    }

    /// Beside the configuration; in the runtime directory if the path is too long there, or if the folder takes no socket.
    ///
    /// A socket that exists goes first, because a client may have other rights in the folder than the daemon.
    private static func projectSocketPath(_ configFile: String, _ context: LocationContext) -> String {
        let folder = Paths.directory(of: configFile)
        let beside = Paths.resolve("pm.sock", from: folder)
        let short = runtimeSocketPath(configFile, context)
        if beside.utf8.count > longestSocketPath { return short }
        if context.files.facts(of: beside) != nil { return beside }
        if context.files.facts(of: short) != nil { return short }
        return context.files.isWritable(folder) ? beside : short
    }

    /// The path for a project whose folder takes no socket.
    private static func runtimeSocketPath(_ configFile: String, _ context: LocationContext) -> String {
        context.runtimeDirectory + "/\(Fingerprint(of: configFile).digits).sock"
    }

    /// The location for a daemon that is about to start: if the folder of the configuration takes no socket, because of its
    /// file system for example, the socket is in the runtime directory.
    func withUsableSocket(in context: LocationContext) -> Self {
        guard scope == .project, !isSocketInRuntimeDirectory, context.files.facts(of: socketPath) == nil,
            !context.files.takesSockets(configDirectory)
        else { return self }
        var moved = self
        moved.socketPath = Self.runtimeSocketPath(configFile, context)
        return moved.socketPath.utf8.count <= Self.longestSocketPath ? moved : self
    }

    /// sun_path has 108 bytes, one of them for the terminator (unix(7)).
    private static let longestSocketPath = 107
}
