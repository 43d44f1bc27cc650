public import PMModel

/// Whether a ready unit responds, by its liveness check.
public enum Responsiveness: Equatable, Sendable {
    /// It has not responded for so long; what the check saw last.
    case unresponsive(for: Duration, seen: String)
    /// It responds again, after so long.
    case responsive(after: Duration)
}

/// The liveness check of a running unit, for its status.
public struct LivenessReport: Equatable, Sendable {
    /// The check.
    public let check: LivenessCheck
    /// Checks that failed in a row.
    public let failures: Int
    /// Time for which it has not responded; nil: it counts as responsive.
    public let unresponsiveFor: Duration?
    /// What the last failed check saw; empty after one that passed.
    public let seen: String
}
