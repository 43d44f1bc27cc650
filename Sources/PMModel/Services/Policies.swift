/// When a unit is started again after a death nobody asked for, and how fast.
public struct RestartPolicy: Equatable, Sendable {
    /// Which deaths are followed by a restart.
    public enum Condition: String, Sendable, CaseIterable {
        /// Restart after each death.
        case always
        /// Those with a non-zero status or a signal.
        case onFailure = "on-failure"
        /// Never restart.
        case never
    }

    /// Which deaths are followed by a restart.
    public var condition: Condition = .onFailure
    /// The first pause; the very first restart of a series has none.
    @Nanoseconds public var delay: Duration = .milliseconds(100)
    /// The longest pause of the exponential backoff.
    @Nanoseconds public var maxDelay: Duration = .seconds(30)
    /// A run this long ends the series: the next death is a first one again.
    @Nanoseconds public var resetAfter: Duration = .seconds(10)
    /// This many deaths within `window` make the unit `cooling`; 0: it never does. At most `largestLimit`.
    public var limit: Int = 10
    /// As many deaths as are remembered.
    public static let largestLimit = 48
    /// The window that `limit` counts in.
    @Nanoseconds public var window: Duration = .seconds(60)
    /// The pause between tries while `cooling`.
    @Nanoseconds public var coolingDelay: Duration = .seconds(60)

    /// The default policy.
    public init() {}

    /// The default policy with another condition.
    public init(condition: Condition) {
        self.condition = condition
    }
}

/// One step of a stop sequence: a signal and how long to wait for the tree to be gone.
public struct StopStep: Equatable, Sendable {
    /// The signal's number (signal(7)).
    public var signal: Int32
    /// Pause before the next step.
    public var wait: Duration

    /// Makes a step.
    public init(signal: Int32, wait: Duration) {
        self.signal = signal
        self.wait = wait
    }
}

/// The way a unit is stopped: its `$stop` command if it has one, these steps, then SIGKILL for the whole tree.
public struct StopSequence: Equatable, Sendable {
    /// SIGTERM and 10 s.
    public static let standard = [StopStep(signal: 15, wait: .seconds(10))]

    /// The steps, in order; SIGKILL follows the last by itself.
    public var steps: [StopStep]

    /// Makes a sequence; by default SIGTERM (15) and ten seconds.
    public init(steps: [StopStep] = standard) {
        self.steps = steps
    }
}

/// Destination of a unit's output.
public enum LogDestination: String, Sendable, CaseIterable {
    /// Straight to the system's journal; the daemon does not see it.
    case journal
    /// To files of the daemon.
    case file
    /// To files, and from there as a copy to the journal.
    case both
}

/// The check that decides when a unit is ready.
public enum ReadinessCheck: Equatable, Sendable {
    /// The program was executed; nothing more is asked.
    case started
    /// The unit calls `ready` on its RPC channel.
    case rpc
    /// The unit calls `process.send('ready')` on Node's IPC channel.
    case ipc
    /// The unit sends READY=1 to NOTIFY_SOCKET (sd_notify(3)).
    case notify
    /// The unit writes a newline to this descriptor and closes it.
    case descriptor(Int32)
    /// A TCP connection to this host and port is accepted.
    case tcp(host: String, port: UInt16)
    /// `GET` of this http URL answers with a status from 200 to 399.
    case http(url: String)
    /// A program with these arguments, run as the unit is, ends with exit status 0.
    case exec([String])
    /// A line of its output contains this text, or matches it as a POSIX extended regular expression if written `/…/`.
    case logLine(pattern: String)
    /// A check of a plugin passes.
    case probe(PluginProbe)
}

extension ReadinessCheck {
    /// The check where the mapping names none: by its commands, or as pm-docker reports it; of any other program nothing is
    /// asked.
    public static func usual(hasCommands: Bool, in runtime: RuntimeKind) -> ReadinessCheck {
        hasCommands ? .rpc : runtime == .docker ? .notify : .started
    }
}
