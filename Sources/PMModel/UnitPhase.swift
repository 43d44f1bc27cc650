/// What was asked for, as opposed to what is (`UnitPhase`) and to whether it serves (ready).
public enum Desired: String, Sendable, CaseIterable {
    /// It shall run.
    case up
    /// It shall not run.
    case down
}

/// What an instance is doing, in one word for people and programs.
public enum UnitPhase: String, Sendable, CaseIterable {
    /// Nothing runs and nothing is planned.
    case down
    /// A spawn was asked for and not answered yet.
    case starting
    /// The process runs; whether it serves is readiness, not phase.
    case up
    /// It was asked to end and its tree is not gone yet.
    case stopping
    /// Its leader died by itself and what it left behind is being killed.
    case sweeping
    /// Some of its processes outlived SIGKILL; nothing is started until they are gone.
    case stuck
    /// It died and waits for its next start.
    case backingOff = "backing-off"
    /// It died too often and waits for the next of its slow tries.
    case cooling
}
