/// Why an instance is not running any more.
public enum ExitReason: Equatable, Sendable {
    /// It ended by itself with this status.
    case exited(code: Int32)
    /// A signal ended it.
    case signaled(signal: Int32, dumpedCore: Bool)
    /// It was killed because there was no memory left: that of its limit in bytes, or with nil the machine's.
    case memory(limit: Int64?)
    /// It never ran: the spawn failed. Boxed, because few reasons are of its size.
    indirect case spawnFailed(SpawnFailure)
    /// It ran but was not ready before its deadline, and was ended for it.
    case notReady(deadline: Duration)

    /// Whether `on-failure` restarts after it.
    public var isFailure: Bool {
        switch self {
        case .exited(let code): code != 0
        case .signaled, .memory, .spawnFailed, .notReady: true
        }
    }
}

/// What is kept of the last death of an instance.
public struct DeathRecord: Equatable, Sendable {
    /// Which start of the instance it was, from 1.
    public var incarnation: UInt64
    /// Why it ended.
    public var reason: ExitReason
    /// When, in nanoseconds since 1970 (CLOCK_REALTIME).
    public var at: WallTime
    /// How long it ran.
    public var uptime: Duration
    /// Whether pm was asked to stop it.
    public var wasRequested: Bool
    /// Its last lines of output, oldest first.
    public var lastLines: [String]

    /// Makes a record.
    public init(
        incarnation: UInt64, reason: ExitReason, at: WallTime, uptime: Duration
    ) {
        self.incarnation = incarnation
        self.reason = reason
        self.at = at
        self.uptime = uptime
        wasRequested = false
        lastLines = []
    }
}
