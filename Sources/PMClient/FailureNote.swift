import PMAPI
import PMConfig
import PMModel
import PMSystem

/// What pm-init writes into its lock file while the daemon fails to start again and again: its socket can be connected
/// to, but nobody would answer.
struct FailureNote {
    /// Starts in a row that failed.
    let failures: Int
    /// How the last one ended, as wait(2) gives it.
    let status: Int32
    private let logPath: String

    /// Reads the note; nil when there is none, or nobody holds the lock any more.
    init?(of location: DaemonLocation) {
        // A file that cannot be read says nothing.
        guard let bytes = try? Files.read(location.lockPath, limit: 4096), !bytes.isEmpty,
            DaemonLock.isHeld(location.lockPath)
        else { return nil }
        guard let count = FailureCount(bytes) else { return nil }
        (failures, status) = (count.failures, count.status)
        logPath = location.daemonLogPath
    }

    /// The note for people.
    var error: APIError {
        let signal = status & 0x7F
        let end =
            signal == 0 ? "with exit code \((status >> 8) & 0xFF)" : "by \(SignalName.name(of: signal))"
        return .stopping(
            "pm ends right after its start: \(failures) times in a row, the last time \(end); its services run on, and "
                + "pm-init goes on trying", hint: "what it said stands in \(logPath)")
    }
}
