public import PMLogs
public import PMSystem

/// Destination of a unit's output for its next start.
public enum OutputRoute {
    /// Through pipes to the daemon, and from there into files.
    case file
    /// To journald, as this source; the daemon has no part in it.
    case journal(JournalSource)
    /// Into files, and each line to this as well.
    case both(LogCapture.LineCopy)
}

/// Destination of a running process's output.
public enum OutputDestination: Equatable, Sendable {
    /// The daemon reads it and stores it in files.
    case file
    /// The process writes straight to journald.
    case journal
    /// To the daemon, because journald was not reached when it was started.
    case fileForWantOfJournal
}
