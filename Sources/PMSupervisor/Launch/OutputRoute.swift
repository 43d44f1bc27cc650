public import PMLogs
public import PMSystem

/// Where the output of a unit is sent when it starts.
public enum OutputRoute {
    /// Through pipes to the daemon, and from there into files.
    case file
    /// To journald, as this source; the daemon has no part in it.
    case journal(JournalSource)
    /// Into files, and each line to this as well.
    case both(LogCapture.LineCopy)
}

/// Where the output of a running process goes.
public enum OutputDestination: Equatable, Sendable {
    /// To the daemon.
    case file
    /// To journald.
    case journal
    /// To the daemon, because journald was not reached when it was started.
    case fileForWantOfJournal
}
