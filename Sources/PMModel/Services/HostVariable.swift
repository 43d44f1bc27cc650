/// The variables by which pm tells a service's process its name and connections: the contract with node/host,
/// pm-docker, pm-gateway and `@akala/pm`, which ignore variables that they do not know.
public enum HostVariable: String, CaseIterable, Sendable {
    /// The service's name.
    case name = "PM_NAME"
    /// The URL of the daemon's socket.
    case socket = "PM_SOCK"
    /// `config` of its mapping, as JSON.
    case config = "PM_CONFIG"
    /// Addresses to listen at: URL → options, as JSON.
    case connect = "PM_CONNECT"
    /// The number of the descriptor that leads to the daemon.
    case channelDescriptor = "PM_CHANNEL_FD"
    /// The path of a socket that leads to the daemon, for programs that cannot inherit descriptors (a container).
    case channelPath = "PM_CHANNEL"

    /// Variables by which a service manager or Node speaks to the program that it starts. A program below that one must
    /// not take them for its own: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), and Node's child_process.fork.
    public static let ofOneProcess: Set<String> = [
        "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
        "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE",
    ]

    /// `NAME=value`.
    public func set(to value: String) -> String { "\(rawValue)=\(value)" }
}

/// The variables by which pmd gives pm-docker those of the container: `PM_ENV_NAME` sets one, `PM_UNSET_NAME` removes
/// one that the image sets.
public enum ContainerVariable {
    /// Before the name of a variable that is set.
    public static let setPrefix = "PM_ENV_"
    /// Before the name of a variable that is removed.
    public static let unsetPrefix = "PM_UNSET_"

    /// `NAME=value` for pm-docker.
    public static func string(_ variable: EnvironmentVariable) -> String {
        variable.value.map { "\(setPrefix)\(variable.name)=\($0)" } ?? "\(unsetPrefix)\(variable.name)="
    }

    /// One of pm's own variables, for pm-docker.
    public static func set(_ variable: HostVariable, to value: String) -> String { setPrefix + variable.set(to: value) }
}
