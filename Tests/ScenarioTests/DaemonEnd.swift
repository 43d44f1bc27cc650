import Glibc
import PMTestSupport

/// How a daemon makes room for its successor.
enum DaemonEnd: String, CaseIterable {
    case killed, upgraded

    /// Ends the daemon, and waits until its successor serves.
    func replaceDaemon(of project: TestProject) throws {
        let daemon = try project.daemonID()
        switch self {
        case .killed: kill(daemon, SIGKILL)
        case .upgraded: try project.must("upgrade")
        }
        try project.until("pm", "replaced") { $0["pid"]?.int != Int(daemon) && $0["ready"]?.bool == true }
    }
}
