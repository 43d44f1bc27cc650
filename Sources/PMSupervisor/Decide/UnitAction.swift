public import PMModel

/// An action, in order with the others; the performer needs no state of its own for it.
public enum UnitAction: Equatable, Sendable {
    /// Spawn this incarnation; answered by `spawned` or `spawnFailed`.
    case spawn(incarnation: UInt64)
    /// Give it no new calls; answered by `drained` when it has answered those that it has, at once if it has none.
    case drain
    /// Call `$stop`; answered by `stopCommandFinished`, at once where there is no such command.
    case callStopCommand
    /// Send this signal to the process group.
    case signalGroup(Int32)
    /// Send this signal, or 0 to count only, to the whole tree; answered by `treeReport`.
    case sweepTree(Int32)
    /// Fire with this token at this time, instead of any earlier timer.
    case armTimer(at: MonotonicTime, token: UInt64)
    /// The armed timer must not fire.
    case cancelTimer
    /// Begin the readiness check of the running incarnation; answered by `ready`, if ever.
    case beginReadiness
    /// End the readiness check.
    case endReadiness
    /// The unit serves from now on.
    case becameReady
    /// The unit does not serve any more.
    case becameUnready
    /// Keep this death, with its time and its last lines of output.
    case recordDeath(Death)
    /// Answers those who asked for a start, and tells the plans that need this unit.
    case startOutcome(StartOutcome)
    /// The tree is gone, or this many processes survive every SIGKILL: answers requests to stop.
    case ended(survivors: UInt32)
    /// pm-init's record of this dead incarnation is not needed any more.
    case forget(incarnation: UInt64)
    /// The state or the history changed: save the snapshot. Always the last action.
    case stateChanged
}

/// Outcome of a start so far.
public enum StartOutcome: Equatable, Sendable {
    /// The process runs: answers those who did not ask to wait for more.
    case spawned
    /// The unit serves: answers all requests.
    case ready
    /// The unit died or cannot be started: answers all requests, even if a restart follows.
    case failed(StartFailure)
    /// A later stop won: answers all.
    case superseded
}

/// Why a start failed.
public enum StartFailure: Equatable, Sendable {
    /// The unit died; the decision has the restart.
    case died(ExitReason, then: RestartDecision)
    /// So many processes of its last incarnation outlive SIGKILL; it is started once they are gone.
    case blocked(survivors: UInt32)
}

/// The end of one incarnation.
public struct Death: Equatable, Sendable {
    /// Which start of the instance it was, from 1.
    public var incarnation: UInt64
    /// Cause of the death.
    public var reason: ExitReason
    /// Time from its start to its death.
    public var uptime: Duration
    /// True when pm was asked to stop it.
    public var wasRequested: Bool

    /// Makes a death.
    public init(incarnation: UInt64, reason: ExitReason, uptime: Duration, wasRequested: Bool) {
        self.incarnation = incarnation
        self.reason = reason
        self.uptime = uptime
        self.wasRequested = wasRequested
    }
}
