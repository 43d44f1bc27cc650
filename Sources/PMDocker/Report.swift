import Glibc
import PMSystem

/// Messages of a driver itself: to the log of its unit, and to the daemon.
enum Report {
    /// Something that happened, or went wrong.
    static func line(_ text: String) {
        // There is nowhere to report that standard error is closed.
        try? Files.write("pm-docker: \(text)\n".utf8, to: STDERR_FILENO, named: "standard error")
    }

    /// Reports its present work, for `pm status`.
    static func status(_ text: String) { tell(["STATUS=\(text)"]) }

    /// Reports that the container serves.
    static func ready() { tell(["READY=1", "STATUS="]) }

    private static func tell(_ lines: [String]) {
        do throws(SystemError) {
            try ServiceManager.tell(lines)
        } catch {
            line("cannot report the state of the container to the daemon: \(error)")
        }
    }
}
