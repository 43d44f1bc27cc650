import Glibc
import PMSystem

/// What a driver itself has to say: to the log of its unit, and to the daemon.
enum Report {
    /// Something that happened, or went wrong.
    static func line(_ text: String) {
        // There is nowhere to report that standard error is closed.
        try? Files.write("pm-docker: \(text)\n".utf8, to: STDERR_FILENO, named: "standard error")
    }

    /// What it does at the moment, for `pm status`.
    static func status(_ text: String) { tell(["STATUS=\(text)"]) }

    /// The container serves.
    static func ready() { tell(["READY=1", "STATUS="]) }

    private static func tell(_ lines: [String]) {
        do throws(SystemError) {
            try ServiceManager.tell(lines)
        } catch {
            line("the daemon cannot be told how it goes: \(error)")
        }
    }
}
