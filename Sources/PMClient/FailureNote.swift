import PMAPI
import PMConfig
import PMModel
import PMSystem

/// The note that pm-init writes into its lock file while the daemon fails to start again and again: clients can connect
/// to its socket, but would get no answer.
struct FailureNote {
    /// Starts in a row that failed.
    let failures: Int
    /// Status of the last end, as wait(2) gives it.
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
            "pm ended right after its start, \(failures) times in a row, the last time \(end); services keep running, and "
                + "pm-init keeps trying to start the daemon", hint: "the daemon's output is in \(logPath)")
    }
}
