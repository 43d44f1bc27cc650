import Glibc
import JSONRPC
import PMAPI
import PMClient
import PMConfig
import PMSystem

/// `pm start pm --keep-attached`: shows what all services write; ^C, SIGTERM and SIGHUP stop all of them and the daemon.
struct Attachment {
    let session: Session
    let client: DaemonClient
    let location: DaemonLocation

    /// Stays until the daemon has ended.
    func stay(until signals: SignalWatch) throws(APIError) -> ExitCode {
        var log = Log(names: [])
        log.follows = true
        log.wantsRecords = true
        // Autostarts may have written before we could ask.
        log.lines = 1_000
        var printer = LogPrinter(session, timestamps: false)
        let ticket = try reporting { () throws(ClientError) in try client.open(log) }
        while true {
            switch try next(of: ticket, printer, signals) {
            case .data(let frame): try printer.show(frame)
            case .idle: printer.showHeld()
            case .interrupted:
                if try handle(signals, &printer) {
                    printer.finish()
                    return try stopAll(signals)
                }
            case .end:
                printer.finish()
                return .success
            }
        }
    }

    /// A connection that ends is a daemon that somebody else has stopped.
    private func next(
        of ticket: DaemonClient.Ticket, _ printer: LogPrinter, _ signals: SignalWatch
    ) throws(APIError) -> DaemonClient.StreamTurn {
        do throws(ClientError) {
            return try client.nextPiece(of: ticket, within: printer.patience, interrupt: signals.raw)
        } catch {
            if case .lost = error { return .end }
            throw error.report
        }
    }

    /// Whether a signal that arrived means the end.
    private func handle(_ signals: SignalWatch, _ printer: inout LogPrinter) throws(APIError) -> Bool {
        while let arrival = signals.next() {
            guard arrival.signal == SIGWINCH else { return true }
            let terminal = Terminal(environment: session.environment)
            printer.resize(terminal)
        }
        return false
    }

    /// Asks on a connection of its own, because the first one carries the stream; a second ^C leaves at once.
    private func stopAll(_ signals: SignalWatch) throws(APIError) -> ExitCode {
        session.note("stopping all services and pm; ^C again leaves them to it")
        let locator = try session.locator()
        let stopper = try locator.connect(to: location)
        let ticket = try reporting { () throws(ClientError) in try stopper.send(Stop(name: nil)) }
        while try !isAnswered(ticket, stopper, signals) {
            while let arrival = signals.next() {
                if arrival.signal != SIGWINCH { return .failure }
            }
        }
        _ = DaemonLock.waitUntilFree(location.lockPath, within: .seconds(10))
        return .success
    }

    /// The end of the connection is the end of the daemon, and as good as an answer.
    private func isAnswered(
        _ ticket: DaemonClient.Ticket, _ stopper: DaemonClient, _ signals: SignalWatch
    ) throws(APIError) -> Bool {
        do throws(ClientError) {
            return try stopper.isAnswered(ticket, interrupt: signals.raw)
        } catch {
            if case .lost = error { return true }
            throw error.report
        }
    }
}
