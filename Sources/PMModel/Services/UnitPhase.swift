/// The wanted state of a unit, as opposed to its phase (`UnitPhase`) and its readiness.
public enum Desired: String, Sendable, CaseIterable {
    /// The unit shall run.
    case up
    /// The unit shall not run.
    case down
}

/// The phase of an instance: one word for people and programs.
public enum UnitPhase: String, Sendable, CaseIterable {
    /// Nothing runs and nothing is planned.
    case down
    /// A spawn was asked for and not answered yet.
    case starting
    /// The process runs; whether it serves is readiness, not phase.
    case up
    /// The instance was asked to end, and processes of its tree are left.
    case stopping
    /// The leader died by itself, and the processes that it left are being killed.
    case sweeping
    /// Some of its processes outlived SIGKILL; nothing is started until they are gone.
    case stuck
    /// The instance died and waits for its next start.
    case backingOff = "backing-off"
    /// The instance died too often and waits for the next of its slow tries.
    case cooling
}
