public import PMModel

/// What is to be done, in order; the performer needs no state of its own to do it.
public enum UnitAction: Equatable, Sendable {
    /// Spawn this incarnation; answered by `spawned` or `spawnFailed`.
    case spawn(incarnation: UInt64)
    /// Call `$stop`; answered by `stopCommandFinished`, at once where there is no such command.
    case callStopCommand
    /// Send this signal to the process group.
    case signalGroup(Int32)
    /// Send this signal, or 0 to count only, to the whole tree; answered by `treeReport`.
    case sweepTree(Int32)
    /// Fire with this token at this time, instead of any earlier timer.
    case armTimer(at: MonotonicTime, token: UInt64)
    /// Forget the timer.
    case cancelTimer
    /// Begin the readiness check of the running incarnation; answered by `ready`, if ever.
    case beginReadiness
    /// End the readiness check.
    case endReadiness
    /// It serves from now on.
    case becameReady
    /// It does not serve any more.
    case becameUnready
    /// Keep this death, with its time and its last lines of output.
    case recordDeath(Death)
    /// Answers those who asked for a start, and tells the plans that need this unit.
    case startOutcome(StartOutcome)
    /// Its tree is gone, or this many processes outlive every SIGKILL: answers those who asked for a stop.
    case ended(survivors: UInt32)
    /// pm-init's record of this dead incarnation is not needed any more.
    case forget(incarnation: UInt64)
    /// The state or the history changed: save the snapshot. Always the last action.
    case stateChanged
}

/// How a start went so far.
public enum StartOutcome: Equatable, Sendable {
    /// The process runs: answers those who did not ask to wait for more.
    case spawned
    /// It serves: answers all.
    case ready
    /// It died or cannot be started: answers all, also when a restart follows.
    case failed(StartFailure)
    /// A later stop won: answers all.
    case superseded
}

/// Why a start failed.
public enum StartFailure: Equatable, Sendable {
    /// It died; the decision says whether it is started again.
    case died(ExitReason, then: RestartDecision)
    /// So many processes of its last incarnation outlive SIGKILL; it is started once they are gone.
    case blocked(survivors: UInt32)
}

/// The end of one incarnation.
public struct Death: Equatable, Sendable {
    /// Which start of the instance it was, from 1.
    public var incarnation: UInt64
    /// Why it ended.
    public var reason: ExitReason
    /// How long it ran.
    public var uptime: Duration
    /// Whether pm was asked to stop it.
    public var wasRequested: Bool

    /// Makes a death.
    public init(incarnation: UInt64, reason: ExitReason, uptime: Duration, wasRequested: Bool) {
        self.incarnation = incarnation
        self.reason = reason
        self.uptime = uptime
        self.wasRequested = wasRequested
    }
}
