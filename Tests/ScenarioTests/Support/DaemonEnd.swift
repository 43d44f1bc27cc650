import Glibc
import PMTestSupport

/// How a daemon makes room for its successor.
enum DaemonEnd: String, CaseIterable {
    case killed, upgraded
    /// pm-init is killed, and the daemon and all services end with it; somebody starts pm.
    case initKilled

    /// Ends the daemon, and waits until its successor serves.
    func replaceDaemon(of project: TestProject) throws {
        let daemon = try project.daemonID()
        switch self {
        case .killed: kill(daemon, SIGKILL)
        case .upgraded: try project.must("upgrade")
        case .initKilled:
            kill(try project.holderID(), SIGKILL)
            try until("pmd has ended") { kill(daemon, 0) != 0 }
            try project.startDaemon()
        }
        try project.until("pm", "replaced") { $0["pid"]?.int != Int(daemon) && $0["ready"]?.bool == true }
    }
}
