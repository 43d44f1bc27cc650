import Glibc
import JSONRPC
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// `pm start pm --keep-attached`: shows what all services write; ^C, SIGTERM and SIGHUP stop all of them and the daemon.
struct Attachment {
    let session: CommandContext
    let client: DaemonClient
    let location: DaemonLocation

    /// Shows what is written from a point in time on, and stays until the daemon has ended; the output of services that
    /// stop is shown too. A second ^C leaves at once.
    func stay(since start: WallTime, until signals: SignalWatch) throws(APIError) -> ExitCode {
        var log = Log(names: [])
        log.follows = true
        log.wantsRecords = true
        // Autostarts may have written before we could ask.
        log.since = .at(start)
        var printer = LogPrinter(session, timestamps: false)
        let followed = try reporting { () throws(ClientError) in try FollowedLog(log, client) }
        var stopper: DaemonClient?
        while true {
            switch try next(of: followed, printer, signals) {
            case .data(let frame): try printer.show(frame)
            case .idle: printer.showHeld()
            case .interrupted:
                guard isEndWanted(signals, &printer) else { continue }
                if stopper != nil { return .failure }
                stopper = try stopAll()
            case .end:
                printer.finish()
                _ = DaemonLock.waitUntilFree(location.lockPath, within: .seconds(10))
                return .success
            }
        }
    }

    /// A connection that ends is a daemon that somebody else has stopped.
    private func next(
        of log: FollowedLog, _ printer: LogPrinter, _ signals: SignalWatch
    ) throws(APIError) -> DaemonClient.StreamTurn {
        do throws(ClientError) {
            return try log.next(within: printer.idleTimeout, interrupt: signals.raw)
        } catch {
            switch error {
            case .lost, .notRunning: return .end
            case .notPermitted, .distrusted, .unreachable, .timedOut, .garbled, .refused, .turnedAway:
                throw error.report
            }
        }
    }

    /// True when a signal arrived that means the end.
    private func isEndWanted(_ signals: SignalWatch, _ printer: inout LogPrinter) -> Bool {
        while let arrival = signals.next() {
            guard arrival.signal == SIGWINCH else { return true }
            printer.resize(Terminal(environment: session.environment))
        }
        return false
    }

    /// Asks on a connection of its own, because the first one carries the stream, whose end is the answer.
    private func stopAll() throws(APIError) -> DaemonClient {
        session.note("stopping all services and the daemon; press Ctrl-C again to leave without waiting")
        let stopper = try session.locator().connect(to: location)
        _ = try reporting { () throws(ClientError) in try stopper.send(Stop(name: nil)) }
        return stopper
    }
}
