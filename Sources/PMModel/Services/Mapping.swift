/// One variable of `env`; without a value it is removed from the environment.
public struct EnvironmentVariable: Equatable, Sendable {
    /// The variable's name.
    public var name: String
    /// The variable's value, or nil to unset it.
    public var value: String?

    /// Makes a variable, or with `nil` the wish to unset one.
    public init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

/// One entry of `connect`: a URL at which a unit can be reached, and its options as JSON text.
public struct ConnectionPoint: Equatable, Sendable {
    /// The URL, `jsonrpc+unix:///srv/app/web.sock` for example.
    public var url: String
    /// The options object as JSON text, `{}` when there are none.
    public var options: String

    /// Makes a connection point.
    public init(url: String, options: String = "{}") {
        self.url = url
        self.options = options
    }
}

/// *How* to run a definition: one entry of `mapping` in the configuration. It is saved; it is not running.
public struct Mapping: Equatable, Sendable {
    /// The name of the definition.
    public var container: String
    /// The working directory, absolute or relative to the configuration file; nil: the configuration file's.
    public var cwd: String?
    /// Arguments given to the program.
    public var cli: [String]
    /// `config` as JSON text, handed to the service as it stands; nil when there is none.
    public var config: String?
    /// True when the unit starts with the daemon.
    public var isAutostart: Bool
    /// Connection points of the unit, besides the daemon.
    public var connect: [ConnectionPoint]
    /// The number of instances of a stateless unit.
    public var instances: Int
    /// How a unit of the runtime `worker` shares a process with others.
    @Boxed public var worker: WorkerPlacement
    /// Variables set or unset on top of the daemon's environment and the files.
    public var env: [EnvironmentVariable]
    /// Variables that are read from elsewhere when the unit starts.
    public var secrets: [SecretVariable]
    /// Environment files read at each start, later ones win.
    public var envFiles: [String]
    /// When it is started again after a death.
    public var restart: RestartPolicy
    /// Signals and pauses of a stop.
    public var stop: StopSequence
    /// Time that a stop gives it for calls that it has not answered, before anything else; zero: none.
    @Nanoseconds public var drain: Duration
    /// Time that it has to answer a call; zero: it has no limit.
    @Nanoseconds public var callTimeout: Duration
    /// When it counts as ready; nil: `rpc` for commandable units, `started` for others.
    public var readiness: ReadinessCheck?
    /// How it is checked while it runs.
    @Boxed public var live: LivenessPolicy
    /// What runs when it has an event.
    @Boxed public var hooks: Hooks
    /// Destination of the output; nil: the daemon's default.
    public var logs: LogDestination?
    /// Time from a start until the unit must be ready; zero: the default of its runtime.
    @Nanoseconds public var readyDeadline: Duration
    /// The resources that the unit may use.
    @Boxed public var limits: Limits
    /// The user that the unit runs as: a name or a number of /etc/passwd; nil: the daemon's.
    public var user: String?
    /// The group that the unit runs as; nil: the user's.
    public var group: String?
    /// The permissions that files it makes do not get; nil: the daemon's.
    public var umask: UInt32?
    /// Isolation of the unit from the machine.
    public var sandbox: Sandbox
    /// Services that it needs beside those of the definition, and the effect when one goes down.
    public var dependencies: [Dependency]
    /// Sockets that are opened for it.
    public var listen: [ListenPoint]
    /// The routes of HTTP that are its own, and the only ones that it may have; nil: those that its commands ask for.
    public var routes: [RoutePattern]?
    /// Reaction of the daemon to a change of the file; only in the mapping of the daemon itself.
    public var apply: ApplyMode

    /// `drain` where the mapping says nothing.
    public static let usualDrain = Duration.seconds(10)
    /// The most instances of one unit.
    public static let mostInstances = 256
}

// Not in the struct itself, which so keeps the initializer that names each of its members (ServiceComparison).
extension Mapping {
    /// Makes a mapping of a definition with every setting at its default.
    public init(container: String) {
        self.container = container
        cwd = nil
        cli = []
        instances = 1
        config = nil
        isAutostart = false
        connect = []
        env = []
        secrets = []
        envFiles = []
        restart = RestartPolicy()
        stop = StopSequence()
        readiness = nil
        _live = Boxed(wrappedValue: LivenessPolicy())
        _hooks = Boxed(wrappedValue: Hooks())
        logs = nil
        listen = []
        dependencies = []
        apply = .manual
        _worker = Boxed(wrappedValue: WorkerPlacement())
        _limits = Boxed(wrappedValue: Limits())
        sandbox = Sandbox()
        _drain = Nanoseconds(wrappedValue: Self.usualDrain)
        _callTimeout = Nanoseconds(wrappedValue: .zero)
        _readyDeadline = Nanoseconds(wrappedValue: .zero)
    }
}
