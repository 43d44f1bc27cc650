import Glibc
public import PMAPI
public import PMConfig
public import PMModel
public import PMSystem

/// Starts a daemon: pm-init in a session of its own, which starts pmd, which tells over a pipe how far it has come.
public struct DaemonLauncher: Sendable {
    /// Progress of a starting daemon.
    public enum Stage: Sendable {
        /// The daemon has loaded its configuration.
        case loaded
        /// The daemon accepts connections on its socket.
        case serving
    }

    /// Paths of the daemon's files.
    public var location: DaemonLocation
    /// Paths of pm's programs.
    public var installation: Installation
    /// The environment it gets.
    public var environment: [String: String]
    /// The debugger for the services it starts.
    public var inspection = Start.Inspection.none
    /// The profile that is laid over the configuration; nil: none.
    public var profile: String?
    /// True when the daemon writes more to its own log.
    public var isVerbose = false
    /// True when pm-init replaces this process, for a service manager or a container.
    public var isForeground = false
    /// Time until the daemon must have reached the stage.
    public var startTimeout = Duration.seconds(30)

    /// Describes a daemon to start.
    public init(location: DaemonLocation, installation: Installation, environment: [String: String]) {
        self.location = location
        self.installation = installation
        self.environment = environment
    }

    /// Starts it and waits until it has reached a stage; tells pm-init's process id. Throws a 409 when one runs already
    /// for this configuration, else what pmd said was wrong.
    public func launch(until stage: Stage) throws(APIError) -> Int32 {
        try makeDirectories()
        let report: LaunchReport
        do throws(SystemError) {
            let status = try Pipe.make()
            let logStart = Int(try Files.status(location.daemonLogPath)?.size ?? 0)
            report = LaunchReport(
                location: location, pipe: status.reading, pid: try start(status: status.writing), logStart: logStart)
        } catch {
            throw APIError(error, doing: "start pm", hint: hint(for: error))
        }
        do throws(APIError) {
            try report.wait(until: stage, Deadline(startTimeout))
        } catch {
            // pm-init is about to end: the next start must not find its lock.
            let isGoing = error.exitCode != .conflict && error.exitCode != .timeout
            if isGoing { _ = DaemonLock.waitUntilFree(location.lockPath, within: .seconds(5)) }
            throw error
        }
        return report.pid
    }

    /// Becomes pm-init: the same process, with its standard descriptors and whatever a service manager has given it. Throws
    /// what keeps it from that.
    public func become() throws(APIError) -> Never {
        try makeDirectories()
        // pm-init would say the same of its lock, but not what to do.
        guard access(location.stateDirectory, W_OK) == 0 else {
            let error = SystemError.last("write to", location.stateDirectory)
            throw APIError(error, doing: "start pm", hint: hint(for: error))
        }
        var program = ChildProcess(path: installation.holder, arguments: arguments, environment: environmentStrings)
        program.directory = directory
        do throws(SystemError) {
            try program.become()
        } catch {
            throw APIError(error, doing: "start pm", hint: hint(for: error))
        }
    }

    private func makeDirectories() throws(APIError) {
        do throws(ConfigError) {
            try location.makeDirectories(userID: geteuid())
        } catch {
            throw APIError(error)
        }
    }

    private var directory: String { location.scope == .project ? location.configDirectory : "/" }

    private func hint(for error: SystemError) -> String? {
        switch error.code {
        case EACCES, EPERM, EROFS:
            location.scope == .system ? "run it as root, or start a daemon of your own: pm start pm --user" : nil
        case ENOENT where error.object == installation.holder:
            "the installation of pm is incomplete; set PM_LIBEXEC to the directory of pm-init"
        default: MachineLimit(error.code)?.hint  // errno is a number, not an enum of ours
        }
    }

    /// The writing end is closed here when this returns: what stays open is the child's.
    private func start(status: consuming SharedFD) throws(SystemError) -> pid_t {
        let null = try OwnedFD.open("/dev/null", O_RDWR)
        let log = try OwnedFD.open(location.daemonLogPath, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW)
        var child = ChildProcess(path: installation.holder, arguments: arguments, environment: environmentStrings)
        child.directory = directory
        child.descriptors = [null.raw, log.raw, log.raw, status.raw]
        child.isDetached = true
        return try child.start()
    }

    /// The command line of pm-init: its own options, then pmd and its options. The status pipe is descriptor 3.
    public var arguments: [String] {
        var words = ["--lock", location.lockPath, "--marker", location.marker]
        if !isForeground { words += ["--status-fd", "3"] }
        // Who runs it in the foreground gives it a cgroup of its own; by hand it is one among others.
        let cgroup = environment["PM_CGROUP"] ?? (isForeground ? "own" : "")
        if !cgroup.isEmpty { words += ["--cgroup", cgroup] }
        words += ["--", installation.daemon]
        words += ["--config", location.configFile, "--scope", location.scope.rawValue]
        words += ["--state", location.stateDirectory, "--socket", location.socketPath]
        words += ["--libexec", installation.libexec]
        if let profile { words += ["--profile", profile] }
        if let option = inspection.option { words.append(option) }
        return isVerbose ? words + ["-v"] : words
    }

    private var environmentStrings: [String] { environment.map { "\($0.key)=\($0.value)" }.sorted() }
}

extension APIError {
    /// A system call that failed while something was done: 403 or 404 where the errno says so, else 500.
    public init(_ error: SystemError, doing what: String, hint: String? = nil) {
        let status =
            switch error.code {
            case EACCES, EPERM, EROFS: 403
            case ENOENT, ENOTDIR: 404
            default: 500  // errno is a number, not an enum of ours
            }
        self.init(status, "cannot \(what): \(error)", hint: hint)
    }

    /// A configuration that cannot be found, read or understood.
    public init(_ error: ConfigError) {
        let status =
            switch error.kind {
            case .invalid: 400
            case .missing: 404
            case .forbidden: 403
            case .storage: 500
            case .busy, .locked: 409
            }
        self.init(status, error.description, hint: error.hint)
    }
}
