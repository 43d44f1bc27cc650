import Glibc
import PMAPI
import PMClient
import PMModel
import PMSystem

/// `pm start NAME --keep-attached`: starts a service and shows what it writes; Ctrl-C stops it. A service that ran before
/// is left running.
struct ServiceAttachment {
    let session: CommandContext

    /// Time without output after which a stopped service has written its last line.
    private static let lastOutputTime = Duration.milliseconds(300)

    /// Starts the service, and stays until a signal or the end of the daemon.
    func start(_ wanted: Start) throws(APIError) -> ExitCode {
        var call = wanted
        // The output shows the URL at which the program waits for a debugger.
        if call.inspection.mode == .inspectBreak { call.waits = false }
        let client = try session.connect()
        let askedAt = session.clock.wall()
        let text = try client.askForText(call, within: nil)
        let answer = try Start.Answer(json: parsedAnswer(text))
        let name = answer.name.isEmpty ? call.name : answer.name
        let signals = try SignalWatch.ofAttachment()
        try StartCommand.tell(text, fallback: name, session)
        if answer.wasRunning {
            session.note("Ctrl-C leaves \(DisplayWidth.printable(name)) running, because it ran before")
        }
        var log = Log(names: [name])
        log.follows = true
        log.wantsRecords = true
        log.since = .at(askedAt)
        let followed = try reporting { () throws(ClientError) in try FollowedLog(log, client) }
        var printer = LogPrinter(session)
        while true {
            switch try followed.nextTurn(within: printer.idleTimeout, interrupt: signals.raw) {
            case .data(let frame): try printer.show(frame)
            case .idle: printer.showHeld()
            case .interrupted:
                guard signals.isEndWanted(&printer, session) else { continue }
                let isStopped = answer.wasRunning ? true : try stop(name, signals, &printer)
                if isStopped, !answer.wasRunning { try showRest(of: followed, &printer) }
                printer.finish()
                return isStopped ? .success : .failure
            case .end:
                printer.finish()
                return .success
            }
        }
    }

    /// Stops the service on a connection of its own, because the first one carries the stream; false when a second signal
    /// came before it had ended.
    private func stop(_ name: String, _ signals: SignalWatch, _ printer: inout LogPrinter) throws(APIError) -> Bool {
        session.note("stopping \(DisplayWidth.printable(name)); press Ctrl-C again to leave without waiting")
        let stopper = try session.connect()
        let ticket = try reporting { () throws(ClientError) in try stopper.send(Stop(name: name)) }
        while true {
            let text = try reporting { () throws(ClientError) in
                try stopper.text(of: ticket, interrupt: signals.raw)
            }
            if text != nil { return true }
            if signals.isEndWanted(&printer, session) { return false }
        }
    }

    private func showRest(of log: FollowedLog, _ printer: inout LogPrinter) throws(APIError) {
        while case .data(let frame) = try log.nextTurn(within: Self.lastOutputTime, interrupt: nil) {
            try printer.show(frame)
        }
    }
}
