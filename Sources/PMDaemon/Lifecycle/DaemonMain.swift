import Glibc
import PMAPI
import PMConfig
import PMSystem

/// The daemon as a process.
public enum DaemonProcess {
    /// Runs the daemon until it is stopped, and returns its exit code.
    ///
    /// Call it from a synchronous `main`.
    public static func main(_ arguments: [String]) -> Int32 {
        // A peer that has gone is an error of the write, not the end of the daemon.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        // A file that may not grow is an error of the write too (RLIMIT_FSIZE).
        signal(SIGXFSZ, SIG_IGN)
        do throws(FailedStart) {
            try Reactor.run { () throws(FailedStart) in
                let launch = LaunchReporter()
                do {
                    return try prepare(arguments, launch)
                } catch {
                    throw FailedStart(code: report(error, launch))
                }
            }
            return 0
        } catch {
            return error.code
        }
    }

    /// The daemon could not start, and has said why.
    private struct FailedStart: Error {
        let code: Int32
    }

    @PMActor
    private static var running: Daemon?

    @PMActor
    private static func prepare(_ arguments: [String], _ launch: LaunchReporter) throws -> Reactor {
        let options = try DaemonOptions(arguments)
        let log = DaemonLog(isVerbose: options.isVerbose, clock: SystemClock())
        let reactor = try Reactor { log.tell($0) }
        let daemon = try Daemon(options, reactor: reactor, log: log, launch: launch)
        running = daemon
        try daemon.start()
        return reactor
    }

    /// Tells the launcher and the log why the daemon cannot start.
    @PMActor
    private static func report(_ error: any Error, _ launch: LaunchReporter) -> Int32 {
        let code: ExitCode =
            switch error {
            case is DaemonOptions.Problem: .usage
            case let error as ConfigError: error.exitCode
            default: .failure  // errors are an open set
            }
        let hint = (error as? ConfigError)?.hint.map { "\nhint: \($0)" } ?? ""
        let message = "\(error)\(hint)"
        launch.failed(code.rawValue, message)
        // There is nowhere to report that standard error is full or closed.
        try? Files.write("pmd: cannot start: \(message)\n".utf8, to: STDERR_FILENO, named: "standard error")
        return code.rawValue
    }
}

extension ConfigError {
    fileprivate var exitCode: ExitCode {
        switch kind {
        case .invalid: .data
        case .missing: .notFound
        case .forbidden: .notPermitted
        case .storage: .failure
        case .busy, .locked: .conflict
        }
    }
}
