internal import Glibc
internal import PMModel
internal import PMSystem

/// Everything the place of a daemon depends on, so that a test can choose it.
public struct LocationContext: Sendable {
    /// The environment variables.
    public var environment: [String: String]
    /// The absolute working directory.
    public var workingDirectory: String
    /// The effective user, which decides about trust.
    public var userID: UInt32
    /// The file system.
    public var files: any FileProbe

    /// Makes a context.
    public init(
        environment: [String: String], workingDirectory: String, userID: UInt32,
        files: any FileProbe = LinuxFileProbe()
    ) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.userID = userID
        self.files = files
    }

    /// The context of this process. A working directory that was removed counts by the path that it had: a configuration
    /// above it is still the one that is meant, and most commands need no more of it.
    public static func current(environment: [String: String]) throws(ConfigError) -> Self {
        guard let directory = getcwd(nil, 0) else {
            if errno == ENOENT, let former = formerDirectory() {
                return Self(environment: environment, workingDirectory: former, userID: geteuid())
            }
            throw ConfigError(
                .storage, "the working directory cannot be found: \(String(cString: strerror(errno)))",
                hint: "change to a directory that exists")
        }
        defer { free(directory) }
        // A path that was changed into UTF-8 could be the one of another project.
        guard let path = String(validatingCString: directory) else {
            throw ConfigError(
                .storage, "the path of the working directory is not UTF-8: \(String(cString: directory))",
                hint: "rename the folder, or work in one whose path is UTF-8")
        }
        return Self(environment: environment, workingDirectory: path, userID: geteuid())
    }

    /// The path of a removed working directory (proc(5): the link ends in " (deleted)").
    private static func formerDirectory() -> String? {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX) + 16)
        let count = readlink("/proc/self/cwd", &target, target.count)
        let mark = Array(" (deleted)".utf8)
        guard count > mark.count, target.first == UInt8(ascii: "/"), target[..<count].suffix(mark.count) == mark[...]
        else {
            return nil
        }
        return String(decoding: target[..<(count - mark.count)], as: UTF8.self)
    }

    /// The user's home: `HOME`, else the entry of this user in /etc/passwd; throws when neither names one.
    public func home() throws(ConfigError) -> String {
        if let home = absolute("HOME") { return home }
        // Read by hand: getpwuid(3) loads NSS modules, which a static program cannot.
        if let home = accountHome() { return home }
        throw ConfigError(
            .missing, "the home directory of user \(userID) is not known: HOME is not set and /etc/passwd names none",
            hint: "set HOME, or name a file with --config FILE and a state directory with PM_STATE_DIR")
    }

    /// The user's configuration folder, `${XDG_CONFIG_HOME:-~/.config}/pm`.
    public func userConfigDirectory() throws(ConfigError) -> String {
        if let directory = absolute("XDG_CONFIG_HOME") { return directory + "/pm" }
        return try home() + "/.config/pm"
    }

    /// The folder of the user's state directories, `${XDG_STATE_HOME:-~/.local/state}/pm`.
    public func userStateDirectory() throws(ConfigError) -> String {
        if let directory = absolute("XDG_STATE_HOME") { return directory + "/pm" }
        return try home() + "/.local/state/pm"
    }

    /// `$XDG_RUNTIME_DIR/pm`, else `/tmp/pm-<uid>`: callers first check that it belongs to the user
    /// (`DaemonLocation.checkSocketDirectory`).
    public var runtimeDirectory: String {
        absolute("XDG_RUNTIME_DIR").map { $0 + "/pm" } ?? "/tmp/pm-\(userID)"
    }

    /// The value of a variable that names an absolute path, normalized; the XDG specification has others ignored.
    func absolute(_ variable: String) -> String? {
        guard let value = environment[variable], value.utf8.first == UInt8(ascii: "/") else { return nil }
        return Paths.normalized(value)
    }

    /// The home of this user in /etc/passwd; nil where that names no absolute path.
    func accountHome() -> String? {
        guard let home = trust(in: []).home(of: userID), home.utf8.first == UInt8(ascii: "/") else { return nil }
        return Paths.normalized(home)
    }

    /// Judges paths of these files by their owners.
    func trust(in owners: Set<UInt32>) -> PathTrust {
        PathTrust(trusting: owners, look: { files.entry(at: $0) }, read: { files.contents(of: $0) })
    }
}
