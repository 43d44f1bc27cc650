import Glibc
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// What `pm doctor` knows of the daemon that is meant, and the checks of it.
struct Checkup {
    let session: CommandContext
    let context: LocationContext
    /// The daemon's paths; nil when there is no configuration.
    let location: DaemonLocation?
    /// What the daemon says.
    let daemon: Daemon

    /// The daemon that is meant.
    enum Daemon {
        /// It answers: with what it says of itself, and the rows of its status.
        case running(Version.Answer, [UnitStatus])
        /// No process holds its lock.
        case down
        /// It could not be asked.
        case failed(APIError)
    }

    /// Looks for the daemon, and asks it.
    init(_ session: CommandContext) throws(APIError) {
        let locator = try session.locator()
        self.session = session
        context = locator.context
        location = try locator.location()
        daemon = location.map { Self.daemon($0, locator) } ?? .down
    }

    private static func daemon(_ location: DaemonLocation, _ locator: DaemonLocator) -> Daemon {
        do throws(APIError) {
            let client = try locator.connect(to: location)
            return .running(try client.ask(Version()), try client.ask(Status(name: nil)))
        } catch {
            return error.statusCode == 503 && !DaemonLock.isHeld(location.lockPath) ? .down : .failed(error)
        }
    }

    /// All findings, in the order of a start: the machine, the files, the daemon, its services.
    func findings() -> [Finding] {
        let system = SystemChecks(self)
        let files = FileChecks(self)
        return NodeCheck(self).findings() + [
            system.cgroups(), system.journal(), system.openFiles(), system.lingering(),
        ]
            + files.configuration() + files.permissions() + [files.socket()] + DaemonChecks(self).findings()
    }

    /// What the daemon says of itself; nil when it does not answer.
    var answer: Version.Answer? {
        switch daemon {
        case .running(let answer, _): answer
        case .down, .failed: nil
        }
    }

    /// The services of the daemon; empty when it does not answer.
    var rows: [UnitStatus] {
        switch daemon {
        case .running(_, let rows): rows
        case .down, .failed: []
        }
    }

    /// The process that holds the daemon's lock, pm-init; nil when there is none in our PID namespace.
    var holder: Int32? {
        location.flatMap { DaemonLock.holder(of: $0.lockPath) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// The configuration; nil when there is none, or it has errors, which are another check's to tell.
    var configuration: Configuration? {
        guard let location, location.hasConfigFile else { return nil }
        let store = try? ConfigStore(path: location.configFile, values: session.values())  // as said
        return (try? store?.load())?.configuration  // as said
    }

    /// A variable in the environment of a process; nil when it has none, or it may not be looked at.
    static func variable(_ name: String, of pid: Int32) -> String? {
        // The process may be another user's, or have ended.
        guard let bytes = try? Files.read("/proc/\(pid)/environ", limit: 4 << 20) else { return nil }
        let prefix = Array("\(name)=".utf8)
        return bytes.split(separator: 0).first { $0.starts(with: prefix) }
            .map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
    }

    /// A file of /proc, /sys or /etc as text; nil when it is not there, or may not be read.
    static func text(_ path: String) -> String? {
        // As said; what is not known is not judged.
        (try? Files.read(path, limit: 4 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// True when this user may use a file so (access(2), with the effective ids).
    static func isAccessible(_ path: String, _ mode: Int32) -> Bool { faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 }
}
