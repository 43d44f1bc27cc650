/// Why an instance is not running any more.
public enum ExitReason: Equatable, Sendable {
    /// The program ended by itself with this status.
    case exited(code: Int32)
    /// A signal ended it.
    case signaled(signal: Int32, dumpedCore: Bool)
    /// The kernel killed the program because memory ran out: that of its limit in bytes, or with nil the machine's.
    case memory(limit: Int64?)
    /// The program never ran: the spawn failed. Boxed, because few reasons are of its size.
    indirect case spawnFailed(SpawnFailure)
    /// The program was not ready before its deadline, and pm ended it.
    case notReady(deadline: Duration)
    /// Its liveness check failed, and pm ended it; with what the check saw last, empty when that is not known any more.
    indirect case unresponsive(seen: String)

    /// True when the policy `on-failure` restarts after it.
    public var isFailure: Bool {
        switch self {
        case .exited(let code): code != 0
        case .signaled, .memory, .spawnFailed, .notReady, .unresponsive: true
        }
    }
}

/// The record of the last death of an instance, which outlives the daemon.
public struct DeathRecord: Equatable, Sendable {
    /// Which start of the instance it was, from 1.
    public var incarnation: UInt64
    /// Why it ended.
    public var reason: ExitReason
    /// When, in nanoseconds since 1970 (CLOCK_REALTIME).
    public var at: WallTime
    /// Time from the start of the program to its death.
    public var uptime: Duration
    /// True when pm was asked to stop the program.
    public var wasRequested: Bool
    /// The last lines of output, oldest first; without those that say nothing about a fault.
    public var lastLines: [String]
    /// The fault that its output shows; nil where it shows none.
    public var fault: Fault?
    /// What its readiness check saw last; nil if the program was ready, or the check has seen nothing.
    public var probe: String?
    /// The exits before this one, newest first, at most `mostEarlier`.
    public var earlier: [PastExit]

    /// Most exits that a record has beside its own.
    public static let mostEarlier = 5

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
        earlier = []
    }

    /// Takes the output of the program, first and last lines of all: a failure shows its fault.
    public mutating func takeOutput(_ lines: [String]) {
        guard reason.isFailure, !wasRequested else {
            lastLines = lines.suffix(OutputDigest.mostLines)
            return
        }
        let digest = OutputDigest(lines)
        (lastLines, fault) = (digest.lines, digest.fault)
    }

    /// The exits that a record of the next one has.
    public var past: [PastExit] {
        let own = PastExit(incarnation: incarnation, reason: reason, at: at, wasRequested: wasRequested)
        return Array(([own] + earlier).prefix(Self.mostEarlier))
    }
}

/// An exit before the last one.
public struct PastExit: Equatable, Sendable {
    /// Which start of the instance it was, from 1.
    public var incarnation: UInt64
    /// Why it ended.
    public var reason: ExitReason
    /// When it ended.
    public var at: WallTime
    /// True when pm was asked to stop the program.
    public var wasRequested: Bool

    /// Makes the record of an exit.
    public init(incarnation: UInt64, reason: ExitReason, at: WallTime, wasRequested: Bool) {
        (self.incarnation, self.reason, self.at, self.wasRequested) = (incarnation, reason, at, wasRequested)
    }
}
