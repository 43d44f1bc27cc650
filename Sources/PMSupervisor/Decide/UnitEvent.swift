public import PMModel

/// An event of an instance.
public enum UnitEvent: Equatable, Sendable {
    /// Someone wants something of it.
    case request(UnitRequest)
    /// The timer fired; tokens that are not the armed one's are ignored.
    case timerFired(token: UInt64)
    /// The process tree did something; incarnations that are not the present one are ignored.
    case child(ChildEvent, incarnation: UInt64)
    /// pm-init still holds this child, or its exit, from an earlier daemon; once, right after restoring a snapshot.
    case adopted(AdoptedChild)
    /// There is no such child: what an earlier daemon remembered of a rest goes on; once, right after restoring a snapshot.
    case resumed
}

/// A request to an instance.
public enum UnitRequest: String, Sendable, CaseIterable {
    /// Run; a manual start ends backoff and cooling.
    case up
    /// The unit shall not run.
    case down
    /// Stop by SIGKILL at once, whatever the stop sequence says.
    case kill
    /// Run again; the same as `up` when the instance is down.
    case restart
}

/// An event of one incarnation's process tree.
public enum ChildEvent: Equatable, Sendable {
    /// The process exists, and takes its user or its sandbox; `spawned` or `spawnFailed` follows, at the latest once it
    /// is killed.
    case starting(pid: Int32)
    /// The program was executed.
    case spawned(pid: Int32)
    /// The program never ran. The spawn leaves nothing behind.
    indirect case spawnFailed(SpawnFailure)
    /// The readiness check succeeded.
    case ready
    /// It failed its liveness check, which saw this last; `report` is none of the machine's business.
    case unresponsive(LivenessResponse, seen: String)
    /// It has no call left to answer.
    case drained
    /// The `$stop` call ended.
    case stopCommandFinished(StopCommandResult)
    /// The leader was reaped.
    case exited(ExitReport)
    /// The answer to `sweepTree`: living processes of the tree, the leader included.
    case treeReport(survivors: UInt32)
}

/// Result of a `$stop` call.
public enum StopCommandResult: String, Sendable, CaseIterable {
    /// The service answered without an error.
    case answered
    /// The service answered with an error, there is no such command, or the channel is closed.
    case failed
}

/// The end of a leader as pm-init reports it.
public struct ExitReport: Equatable, Sendable {
    /// Processes that may be left of the tree.
    public enum Leftovers: String, Sendable, CaseIterable {
        /// No processes.
        case none
        /// Perhaps something; only a sweep tells.
        case maybe
    }

    /// Cause of the end.
    public var reason: ExitReason
    /// Processes that may be left of the tree.
    public var leftovers: Leftovers
    /// Time that it ran; nil: until now. Given when the exit is older than its report.
    public var ranFor: Duration?

    /// Time that a process ran, if its end is known by the wall clock alone: never longer than the monotonic clock
    /// allows, however the wall clock was set.
    static func ran(startedAgo: Duration, endedAgo: Duration) -> Duration {
        max(.zero, min(startedAgo, startedAgo - endedAgo))
    }

    /// Makes a report.
    public init(reason: ExitReason, leftovers: Leftovers = .none, ranFor: Duration? = nil) {
        self.reason = reason
        self.leftovers = leftovers
        self.ranFor = ranFor
    }
}

/// A child that pm-init holds from an earlier daemon.
public enum AdoptedChild: Equatable, Sendable {
    /// The process is being started; `spawned` or `spawnFailed` follows.
    case starting(pid: Int32)
    /// The process runs.
    case running(pid: Int32)
    /// The process ended, now or while no daemon ran.
    case exited(ExitReport)
}
