public import PMModel

/// What one instance of a unit is doing, with all that is needed to go on from there.
public enum UnitState: Equatable, Sendable {
    /// Nothing runs and nothing is planned.
    case down(DownReason)
    /// A spawn was asked for and not answered yet.
    case starting(Starting)
    /// The process runs.
    case up(Up)
    /// A process tree is on its way out: asked to stop, or its leader died and left processes behind.
    case stopping(Stopping)
    /// It died and is started again at this time.
    case backingOff(until: MonotonicTime)
    /// It died too often and is tried again at this time.
    case cooling(until: MonotonicTime)
}

/// Why nothing runs.
public enum DownReason: UInt8, Sendable {
    /// It was not started since the daemon knows it.
    case neverStarted
    /// Someone stopped it.
    case stopped
    /// It ended by itself and its policy asks for no restart; it is still wanted up.
    case finished
}

/// A spawn that was asked for and not answered yet.
public struct Starting: Equatable, Sendable {
    /// What happens when the answer comes.
    public enum Then: UInt8, Sendable {
        /// It runs.
        case run
        /// It is stopped.
        case stop
        /// It is stopped and started again.
        case restart
    }

    /// Which start of the instance it is, from 1.
    public var incarnation: UInt64
    /// What happens when the answer comes.
    public var then: Then = .run
}

/// A running process.
public struct Up: Equatable, Sendable {
    /// Whether it serves, by its own word.
    public enum Readiness: Equatable, Sendable {
        /// Not yet; at the deadline it is ended.
        case waiting(deadline: MonotonicTime)
        /// Yes.
        case ready
    }

    /// Which start of the instance it is, from 1.
    public var incarnation: UInt64
    /// The process ID of the tree's leader.
    public var pid: Int32
    /// When it was executed.
    public var startedAt: MonotonicTime
    /// Whether it serves.
    public var readiness: Readiness

    /// Whether it serves.
    public var isReady: Bool { readiness == .ready }
}

/// A process tree on its way out.
public struct Stopping: Equatable, Sendable {
    /// What began it.
    public enum Cause: UInt8, Sendable {
        /// A stop or a restart was asked for.
        case requested
        /// It missed its readiness deadline.
        case notReady
        /// Its leader died by itself and left processes behind.
        case died
    }

    /// What follows once the tree is gone.
    public enum Next: Equatable, Sendable {
        /// It stays down, as asked.
        case rest
        /// It is started at once, as asked.
        case start
        /// It is restarted at this time.
        case restart(at: MonotonicTime)
        /// It is tried again at this time.
        case cool(until: MonotonicTime)
        /// It stays down because its policy asks for no restart.
        case finish
    }

    /// The process that was spawned.
    public enum Leader: Equatable, Sendable {
        /// It runs, or its exit was not reported yet.
        case alive(pid: Int32, startedAt: MonotonicTime)
        /// Its exit was reported.
        case gone
    }

    /// How far the stop has come.
    public enum Step: Equatable, Sendable {
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
    /// What began it.
    public var cause: Cause
    /// What follows once the tree is gone.
    public var next: Next
    /// The process that was spawned.
    public var leader: Leader
    /// How far the stop has come.
    public var step: Step
    /// When the next step begins.
    public var deadline: MonotonicTime
    /// The pause before the next count of what is left.
    public var pause: Duration
    /// How many processes the last count found; 0 while nothing was counted.
    public var survivors: UInt32 = 0
}
