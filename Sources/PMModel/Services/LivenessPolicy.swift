/// The check that decides whether a running unit is alive.
public enum LivenessCheck: Equatable, Sendable {
    /// Nothing is checked.
    case none
    /// The unit answers `$ping` on its RPC channel; any answer counts, an error too.
    case rpc
    /// A TCP connection to this host and port is accepted.
    case tcp(host: String, port: UInt16)
    /// `GET` of this http URL answers with a status from 200 to 399.
    case http(url: String)
    /// A program with these arguments, run as the unit is, ends with exit status 0.
    case exec([String])
    /// The unit writes a line, or a part of one, at least this often.
    case output(within: Duration)
    /// A check of a plugin passes.
    case probe(PluginProbe)

    /// One word for it, as the configuration has it.
    public var word: String {
        switch self {
        case .none: "none"
        case .rpc: "rpc"
        case .tcp: "tcp"
        case .http: "http"
        case .exec: "exec"
        case .output: "noOutputFor"
        case .probe: "probe"
        }
    }
}

/// The consequence of a liveness check that fails.
public enum LivenessResponse: String, Sendable, CaseIterable {
    /// The unit is ended, and started again as its restart policy says.
    case restart
    /// The unit is ended and stays down until somebody starts it.
    case stop
    /// The unit runs on, and its status says that it does not respond.
    case report
}

/// How a running unit is checked, and what follows when it does not pass.
///
/// Its words are those of Docker's health checks: interval, timeout, retries, start period.
public struct LivenessPolicy: HasDefault {
    /// The check.
    public var check: LivenessCheck
    /// Time from one check to the next; zero with `rpc`: a check is made only when there is a suspicion.
    @Nanoseconds public var interval: Duration = .seconds(10)
    /// Time for a check to pass.
    @Nanoseconds public var timeout: Duration = .seconds(5)
    /// So many checks must fail in a row; from 1.
    public var retries = 3
    /// Time from the start of the process in which failed checks do not count, until the first one has passed.
    @Nanoseconds public var startPeriod: Duration = .zero
    /// What follows.
    public var action = LivenessResponse.restart
    /// True when the mapping says nothing of it.
    public var isDefault = false

    /// The policy of a mapping that says nothing: a unit that says that it answers `$ping` is asked when there is a
    /// suspicion, and its status says when it does not answer.
    public init() {
        self.init(check: .rpc)
        retries = 1
        action = .report
        isDefault = true
    }

    /// A policy with the usual times of a check.
    public init(check: LivenessCheck) {
        self.check = check
        switch check {
        case .rpc: interval = .zero
        case .output:
            interval = .zero
            retries = 1
        case .none, .tcp, .http, .exec, .probe: break
        }
    }
}
