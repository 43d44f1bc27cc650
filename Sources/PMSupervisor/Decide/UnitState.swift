public import PMModel

/// State of one instance of a unit, with everything that is needed to go on from there.
public enum UnitState: Equatable, Sendable {
    /// Nothing runs and nothing is planned.
    case down(DownReason)
    /// A spawn was asked for and not answered yet.
    case starting(Starting)
    /// The process runs.
    case up(Up)
    /// A process tree is on its way out: asked to stop, or its leader died and left processes behind.
    case stopping(Stopping)
    /// The unit died and is started again at this time.
    case backingOff(until: MonotonicTime)
    /// The unit died too often and is tried again at this time.
    case cooling(until: MonotonicTime)
}

/// Cause of a unit's being down.
public enum DownReason: UInt8, Sendable {
    /// The unit was not started since the daemon knows it.
    case neverStarted
    /// A request stopped it.
    case stopped
    /// The unit ended by itself, and its policy asks for no restart; it is still wanted up.
    case finished
}

/// A spawn that was asked for and not answered yet.
public struct Starting: Equatable, Sendable {
    /// The next step after the spawn's result.
    public enum Then: UInt8, Sendable {
        /// The unit goes on running.
        case run
        /// The unit is stopped.
        case stop
        /// The unit is stopped and started again.
        case restart
    }

    /// Which start of the instance it is, from 1.
    public var incarnation: UInt64
    /// The next step after the spawn's result.
    public var then: Then = .run
}

/// State of a running process.
public struct Up: Equatable, Sendable {
    /// Readiness of the unit, by its check.
    public enum Readiness: Equatable, Sendable {
        /// Not yet; at the deadline it is ended.
        case waiting(deadline: MonotonicTime)
        /// The readiness check has succeeded.
        case ready
    }

    /// Which start of the instance it is, from 1.
    public var incarnation: UInt64
    /// The process ID of the tree's leader.
    public var pid: Int32
    /// When it was executed.
    public var startedAt: MonotonicTime
    /// Readiness of the unit.
    public var readiness: Readiness

    /// True when the unit is ready.
    public var isReady: Bool { readiness == .ready }
}

/// A process tree on its way out.
public struct Stopping: Equatable, Sendable {
    /// Cause of the stop.
    public enum Cause: UInt8, Sendable {
        /// A stop or a restart was asked for.
        case requested
        /// The unit missed its readiness deadline.
        case notReady
        /// The leader died by itself and left processes behind.
        case died
        /// The unit failed its liveness check.
        case unresponsive
    }

    /// The step after the end of the tree.
    public enum Next: Equatable, Sendable {
        /// The unit stays down, as requested.
        case rest
        /// The unit is started at once, as requested.
        case start
        /// The unit is restarted at this time.
        case restart(at: MonotonicTime)
        /// The unit is tried again at this time.
        case cool(until: MonotonicTime)
        /// The unit stays down because its policy asks for no restart.
        case finish
    }

    /// The process that was spawned.
    public enum Leader: Equatable, Sendable {
        /// The leader runs, or its exit was not reported yet.
        case alive(pid: Int32, startedAt: MonotonicTime)
        /// The leader's exit was reported.
        case gone
    }

    /// Progress of the stop.
    public enum Step: Equatable, Sendable {
        /// It gets no new calls, and answers those that it has.
        case draining
        /// `$stop` was called and has not answered.
        case command
        /// `$stop` has answered; it should end by itself.
        case commandAnswered
        /// The signal of this step of the stop sequence was sent.
        case signalled(UInt16)
        /// SIGKILL was sent to the whole tree, and is again until nothing is left.
        case killing
        /// Processes outlived SIGKILL for the kill timeout; it is tried again, slowly.
        case stuck
    }

    /// Which start of the instance it is, from 1.
    public var incarnation: UInt64
    /// Cause of the stop.
    public var cause: Cause
    /// The step after the end of the tree.
    public var next: Next
    /// The process that was spawned.
    public var leader: Leader
    /// Progress of the stop.
    public var step: Step
    /// When the next step begins.
    public var deadline: MonotonicTime
    /// The pause before the next count of what is left.
    public var pause: Duration
    /// The number of processes in the last count; 0 while nothing was counted.
    public var survivors: UInt32 = 0
}
