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
        var printer = LogPrinter(session)
        let followed = try reporting { () throws(ClientError) in try FollowedLog(log, client) }
        var stopper: DaemonClient?
        while true {
            switch try followed.nextTurn(within: printer.idleTimeout, interrupt: signals.raw) {
            case .data(let frame): try printer.show(frame)
            case .idle: printer.showHeld()
            case .interrupted:
                guard signals.isEndWanted(&printer, session) else { continue }
                if stopper != nil { return .failure }
                stopper = try stopAll()
            case .end:
                printer.finish()
                _ = DaemonLock.waitUntilFree(location.lockPath, within: .seconds(10))
                return .success
            }
        }
    }

    /// Asks on a connection of its own, because the first one carries the stream, whose end is the answer.
    private func stopAll() throws(APIError) -> DaemonClient {
        session.note("stopping all services and the daemon; press Ctrl-C again to leave without waiting")
        let stopper = try session.locator().connect(to: location)
        _ = try reporting { () throws(ClientError) in try stopper.send(Stop(name: nil)) }
        return stopper
    }
}

extension FollowedLog {
    /// The next lines, or the end. A connection that ends is a daemon that somebody else has stopped.
    func nextTurn(within limit: Duration?, interrupt: Int32?) throws(APIError) -> DaemonClient.StreamTurn {
        do throws(ClientError) {
            return try next(within: limit, interrupt: interrupt)
        } catch {
            switch error {
            case .lost, .notRunning: return .end
            case .notPermitted, .distrusted, .unreachable, .timedOut, .garbled, .refused, .turnedAway:
                throw error.report
            }
        }
    }
}

extension SignalWatch {
    /// The signals that end an attachment, and the one of a terminal that changes its size.
    static func ofAttachment() throws(APIError) -> SignalWatch {
        do {
            return try SignalWatch(SignalDescriptor([SIGINT, SIGTERM, SIGHUP, SIGWINCH]))
        } catch {
            throw APIError(error, doing: "watch for signals")
        }
    }

    /// True when a signal arrived that means the end. The printer gets the size of a terminal that has changed.
    func isEndWanted(_ printer: inout LogPrinter, _ session: CommandContext) -> Bool {
        while let arrival = next() {
            guard arrival.signal == SIGWINCH else { return true }
            printer.resize(Terminal(environment: session.environment))
        }
        return false
    }
}
