public import PMModel

/// What can happen to an instance.
public enum UnitEvent: Equatable, Sendable {
    /// Someone wants something of it.
    case request(UnitRequest)
    /// Its timer fired; tokens that are not the armed one's are ignored.
    case timerFired(token: UInt64)
    /// Its process tree did something; incarnations that are not the present one are ignored.
    case child(ChildEvent, incarnation: UInt64)
    /// pm-init still holds this child, or its exit, from an earlier daemon; once, right after restoring a snapshot.
    case adopted(AdoptedChild)
    /// There is no such child: what an earlier daemon remembered of a rest goes on; once, right after restoring a snapshot.
    case resumed
}

/// What someone wants of an instance.
public enum UnitRequest: String, Sendable, CaseIterable {
    /// It shall run; a manual start ends backoff and cooling.
    case up
    /// It shall not run.
    case down
    /// It shall not run, and is ended by SIGKILL at once, whatever its stop sequence says.
    case kill
    /// It shall run again; the same as `up` when it is down.
    case restart
}

/// What the process tree of one incarnation did.
public enum ChildEvent: Equatable, Sendable {
    /// It exists, and takes its user or its sandbox; `spawned` or `spawnFailed` follows, at the latest once it is killed.
    case starting(pid: Int32)
    /// It was executed.
    case spawned(pid: Int32)
    /// It never ran. The spawn leaves nothing behind.
    indirect case spawnFailed(SpawnFailure)
    /// Its readiness check succeeded.
    case ready
    /// The `$stop` call ended.
    case stopCommandFinished(StopCommandResult)
    /// Its leader was reaped.
    case exited(ExitReport)
    /// The answer to `sweepTree`: living processes of the tree, the leader included.
    case treeReport(survivors: UInt32)
}

/// How a `$stop` call ended.
public enum StopCommandResult: String, Sendable, CaseIterable {
    /// It answered without an error.
    case answered
    /// It answered with an error, there is no such command, or the channel is closed.
    case failed
}

/// The end of a leader as pm-init reports it.
public struct ExitReport: Equatable, Sendable {
    /// What may be left of the tree.
    public enum Leftovers: String, Sendable, CaseIterable {
        /// Nothing.
        case none
        /// Perhaps something; only a sweep tells.
        case maybe
    }

    /// Why it ended.
    public var reason: ExitReason
    /// What may be left of the tree.
    public var leftovers: Leftovers
    /// How long it ran; nil: until now. Given where the exit is older than its report.
    public var ranFor: Duration?

    /// How long a process ran whose end is known by the wall clock alone: never longer than the monotonic clock allows,
    /// however the wall clock was set.
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
    /// It is being started; `spawned` or `spawnFailed` follows.
    case starting(pid: Int32)
    /// It runs.
    case running(pid: Int32)
    /// It ended, now or while no daemon ran.
    case exited(ExitReport)
}
