internal import Glibc
public import PMModel

/// The part of a unit's configuration that the machine needs; replaced when the configuration changes.
public struct UnitSettings: Equatable, Sendable {
    /// When it is started again after a death.
    public var restart: RestartPolicy
    /// Signals and pauses of a stop.
    public var stop: StopSequence
    /// When it counts as ready.
    public var readiness: ReadinessCheck
    /// Time from a start until the unit must be ready.
    @Nanoseconds public var readyDeadline: Duration
    /// Time for open calls before a stop; zero: they are not awaited.
    @Nanoseconds public var drain: Duration
    /// True when the program runs under an inspector: a person debugs it, and no deadline for its readiness holds.
    public var isInspected = false
    /// True when `$stop` is called before the first signal.
    public var hasStopCommand: Bool

    /// Settings of a unit that is not commandable, every one at its default.
    public init() {
        self.init(mapping: Mapping(container: ""), isCommandable: false)
    }

    /// Takes a mapping's settings; without a `ready` the runtime and the commands decide.
    public init(mapping: Mapping, isCommandable: Bool, runtime: RuntimeKind = .nodejs) {
        restart = mapping.restart
        stop = mapping.stop
        readiness = mapping.readiness ?? .usual(hasCommands: isCommandable, in: runtime)
        let deadline = mapping.readyDeadline == .zero ? Self.usualDeadline : mapping.readyDeadline
        _readyDeadline = Nanoseconds(wrappedValue: deadline)
        _drain = Nanoseconds(wrappedValue: isCommandable ? mapping.drain : .zero)
        hasStopCommand = isCommandable
    }

    /// Time until the end of the wait for readiness.
    var readinessTimeout: Duration { isInspected ? Self.endless : readyDeadline }

    /// Longer than any process lives: ten years.
    private static let endless = Duration.seconds(10 * 366 * 86400)
    /// `readyDeadline` where the mapping says nothing.
    static let usualDeadline = Duration.seconds(60)
    /// Time that pm-docker gets beyond the last step of a stop, because it kills the container itself after that step.
    static let dockerGrace = Duration.seconds(10)
    /// Without a deadline of its own such a unit may take this long: its image may have to be fetched.
    static let dockerDeadline = Duration.seconds(600)

    /// Adapts the settings to a unit that pm-docker has run, which kills the container itself.
    mutating func runInDocker(_ mapping: Mapping) {
        if mapping.readyDeadline == .zero { readyDeadline = Self.dockerDeadline }
        var last = stop.steps.popLast() ?? StopStep(signal: SIGTERM, wait: .zero)
        last.wait += Self.dockerGrace
        stop.steps.append(last)
    }
}
