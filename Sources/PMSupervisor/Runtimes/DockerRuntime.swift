import Glibc
import PMConfig
public import PMModel
public import PMSystem

/// The `docker` runtime: pm-docker, one process for each unit, that has the engine run a container and lives as long as it.
///
/// To the rest of the daemon that process is the unit: its output is the container's, signals reach the container through
/// it, and it ends as the container does.
@PMActor
public struct DockerRuntime: Runtime {
    /// The variables that are for the container, by name; nil as a value unsets one of the image.
    public typealias VariablesSource = @PMActor (Unit) throws(SpawnFailure) -> [EnvironmentVariable]

    /// Paths of the parts that a driver needs.
    public struct Driver: Sendable {
        /// The folder with pm's programs.
        public var libexec: String
        /// URL of the daemon's socket: the owner of the containers.
        public var socketURL: String
        /// The daemon's own environment.
        public var environment: [String: String]

        /// Names the paths and variables.
        public init(libexec: String, socketURL: String, environment: [String: String]) {
            self.libexec = libexec
            self.socketURL = socketURL
            self.environment = environment
        }
    }

    private let place: Driver
    private let variables: VariablesSource
    /// Variables that the driver itself needs: the address of the engine, and paths of its user's files.
    private static let inherited = ["PATH", "HOME", "LANG", "DOCKER_HOST", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"]

    /// Makes the runtime; `variables` is asked at each start.
    public init(_ place: Driver, variables: @escaping VariablesSource) {
        self.place = place
        self.variables = variables
    }

    /// The driver, with the unit in its arguments and the container's variables in its environment, as `PM_ENV_NAME`.
    ///
    /// - Throws: `SpawnFailure` when the Docker configuration cannot be read, has errors, or needs a setting that an
    ///   engine does not have.
    public func launch(_ unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch {
        do throws(ConfigError) {
            _ = try DockerConfiguration(path: unit.program)
        } catch {
            throw SpawnFailure(.launch(.file), error.description)
        }
        try refuseWhatNobodyDoes(unit)
        if options.inspection != .none {
            throw SpawnFailure(.launch(.inspection), unit.name)
        }
        let channel = unit.channel(options)
        let program = place.libexec + "/pm-docker"
        let words =
            [program, "run"] + self.options(unit) + [unit.program, "--"] + unit.mapping.cli + options.arguments
        let invocation = Invocation(executable: program, arguments: words, directory: "/")
        return Launch(invocation: invocation, environment: try environment(unit, channel), channel: channel)
    }

    private func options(_ unit: Unit) -> [String] {
        let limits = unit.mapping.limits
        let stop = unit.containerStop
        let user = unit.mapping.user.map { user in unit.mapping.group.map { "\(user):\($0)" } ?? user }
        let values: [(String, String?)] = [
            ("name", unit.name), ("owner", place.socketURL), ("node", place.libexec + "/node"),
            ("stop-signal", "\(stop.signal)"), ("kill-after", "\(stop.wait.milliseconds)"), ("user", user),
            ("memory", limits.memory.map { "\($0)" }), ("cpu", limits.cpu.map { "\($0)" }),
            ("pids", limits.pids.map { "\($0)" }), ("nofile", limits.openFiles.map { "\($0)" }),
            ("oom-score-adjust", limits.oomScoreAdjust.map { "\($0)" }),
        ]
        // One word each: a value that begins with a dash would be taken for the next option.
        return values.compactMap { name, value in value.map { "--\(name)=\($0)" } }
    }

    private func environment(_ unit: Unit, _ channel: ChannelKind) throws(SpawnFailure) -> [String] {
        var strings = Self.inherited.compactMap { name in place.environment[name].map { "\(name)=\($0)" } }
        for variable in try variables(unit) {
            // One without a value is to be taken out of what the image says.
            strings.append(ContainerVariable.string(variable))
        }
        strings.append(ContainerVariable.set(.name, to: unit.name))
        if let config = unit.mapping.config { strings.append(ContainerVariable.set(.config, to: config)) }
        if channel == .contained {
            strings.append(HostVariable.channelDescriptor.set(to: "\(Wiring.channelNumber(unit))"))
        }
        return strings
    }

    /// Every key does what it says, or says that it does not.
    private func refuseWhatNobodyDoes(_ unit: Unit) throws(SpawnFailure) {
        let (mapping, limits) = (unit.mapping, unit.mapping.limits)
        let asked: [(key: String, isThere: Bool, instead: String)] = [
            ("listen", !mapping.listen.isEmpty, "\"ports\" in \(unit.program) publishes ports"),
            ("connect", !mapping.connect.isEmpty, "\"ports\" in \(unit.program) publishes ports"),
            ("cwd", mapping.cwd != nil, "\"workingDirectory\" in \(unit.program) is the one in the container"),
            ("umask", mapping.umask != nil, "the image says it"),
            ("group", mapping.group != nil && mapping.user == nil, "give \"user\" too"),
            (
                "sandbox", mapping.sandbox.preset != .none,
                "\"readOnly\", \"user\" and \"hostConfig\" shut it in further"
            ),
            ("limits.memoryHigh", limits.memoryHigh != nil, "engines know \"memory\" only"),
            ("limits.nice", limits.nice != nil, "use \"cpu\""),
            ("limits.io", limits.io != IOLimits(), "\"hostConfig\" takes the engine's own, BlkioWeight for example"),
            ("ready", !unit.settings.readiness.isPossibleInDocker, "use notify, rpc, tcp, http or log"),
            ("live", mapping.live.check.isProgram, "use rpc, tcp, http or noOutputFor"),
        ]
        guard let found = asked.first(where: \.isThere) else { return }
        throw SpawnFailure(
            .launch(.keyOfDocker), detail: found.instead
        ).about(SpawnFailure.Key(unit.name, found.key))
    }
}

extension ReadinessCheck {
    /// True when pm can see this check of a program in a container.
    fileprivate var isPossibleInDocker: Bool {
        switch self {
        case .started, .rpc, .notify, .tcp, .http, .logLine, .probe: true
        case .ipc, .descriptor, .exec: false
        }
    }
}

extension LivenessCheck {
    /// True when the check is a program; pm runs none in a container.
    fileprivate var isProgram: Bool { if case .exec = self { true } else { false } }
}

extension Unit {
    /// The last step of its stop sequence: what the container is killed after.
    var containerStop: StopStep { mapping.stop.steps.last ?? StopStep(signal: SIGTERM, wait: .zero) }
}
