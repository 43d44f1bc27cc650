import Glibc
import PMAPI
import PMModel
import PMSystem

/// What the daemon itself has to say; it goes to its standard error, which the launcher sent to `pmd.log`.
@PMActor
final class DaemonLog {
    private let isVerbose: Bool
    private let clock: any TimeSource

    init(isVerbose: Bool, clock: any TimeSource) {
        self.isVerbose = isVerbose
        self.clock = clock
    }

    /// Something that went wrong and concerns no caller.
    func trouble(_ text: String) { write(text) }

    /// Something that happened; only told with `-v`.
    func tell(_ text: String) {
        if isVerbose { write(text) }
    }

    /// Says how the daemon before has ended. A planned upgrade is no trouble.
    func successor(of hello: InitHello) {
        let start = "(number \(hello.daemonStarts))", taken = "\(hello.children) services are taken over"
        switch hello.lastDaemonEnd {
        case .upgrade: tell("started \(start) as the upgrade of the daemon before; \(taken)")
        case .hung: trouble("started again \(start) after the daemon before hung and was ended; \(taken)")
        case .lost: trouble("started again \(start) after the daemon before lost its connection; \(taken)")
        case .own:
            let status = "ended with wait status \(hello.lastDaemonStatus)"
            trouble("started again \(start) after the daemon before \(status); \(taken)")
        }
    }

    private func write(_ text: String) {
        // There is nowhere to report that standard error is full or closed.
        try? Files.write("\(clock.wall().iso8601) pmd: \(text)\n".utf8, to: STDERR_FILENO, named: "standard error")
    }
}
