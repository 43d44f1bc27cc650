import ArgumentParser
import Glibc
import JSON
import PMAPI
import PMClient
import PMModel

/// `pm wait NAME...`.
struct WaitCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until services are ready, have ended, or are down; they are not started.",
        discussion: """
            `pm wait web db --timeout 30s` returns when both are ready. With `--for exit` pm returns when the process that runs \
            now has ended, and exits with 70 if it failed; with `--for down` when the service has ended and is not started \
            again. A service that does not run and that pm does not start by itself can never become ready: pm exits with 73 at \
            once.

            EXAMPLES
              pm wait web db --timeout 30s
              pm wait import --for exit
            """)

    /// What the caller waits for.
    enum Goal: String, ExpressibleByArgument, CaseIterable {
        /// The readiness check has succeeded.
        case ready
        /// The process that runs now has ended.
        case exit
        /// The service is down and stays so.
        case down
    }

    /// The result of a look at the service.
    enum Verdict: Equatable {
        /// The goal is not reached.
        case notYet
        /// The goal is reached.
        case reached
        /// It will not be reached without a command.
        case never
    }

    @OptionGroup var global: GlobalOptions

    @Option(name: .customLong("for"), help: ArgumentHelp("Wait for ready, exit or down.", valueName: "what"))
    var goal = Goal.ready

    @Option(
        help: ArgumentHelp("Give up after this time, 30s for example.", valueName: "duration"),
        transform: CallTimeout.read)
    var timeout: Duration?

    @Argument(
        help: "The services; `all`, or a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        let end = timeout.map { session.clock.monotonic() + $0 }
        var firsts: [UnitStatus] = []
        for name in try ServiceNames(client: client).expanded(names) { firsts.append(try row(name, client)) }
        var results: [JSONValue] = []
        var code = ExitCode.success
        for first in firsts {
            let row = try wait(for: first, until: end, client, session)
            results.append(row.json)
            if session.format == .table { tell(row, session) }
            if goal == .exit, let exit = row.lastExit, exit.reason.isFailure, !exit.wasRequested {
                code = .serviceFailed
            }
        }
        ServiceNames.show(results, of: names, session)
        return code
    }

    /// The row with which the goal is reached.
    private func wait(
        for first: UnitStatus, until end: MonotonicTime?, _ client: DaemonClient, _ session: CommandContext
    ) throws(APIError) -> UnitStatus {
        let name = first.name
        var now = first
        var pause: Int32 = 10
        while true {
            switch Self.verdict(on: now, since: first, goal) {
            case .reached: return now
            case .never:
                throw .conflict(
                    "\(name) is not running, and pm does not start it by itself", hint: "pm start \(name.shellWord)")
            case .notYet: break
            }
            if let end, session.clock.monotonic() >= end {
                throw .timeout(
                    "\(name) was not \(goal == .ready ? "ready" : "down") in time: it is \(now.state)",
                    hint: "pm status \(name.shellWord)")
            }
            // The status is no stream: it says only what is true now.
            poll(nil, 0, pause)
            pause = min(2 * pause, 200)
            now = try row(name, client)
        }
    }

    private func row(_ name: String, _ client: DaemonClient) throws(APIError) -> UnitStatus {
        guard let row = try client.ask(Status(name: name)).first else {
            throw .notFound("there is no service \(name)", hint: "pm ls shows what there is")
        }
        return row
    }

    /// Compares a row with the goal; `first` is the row at the begin.
    static func verdict(on row: UnitStatus, since first: UnitStatus, _ goal: Goal) -> Verdict {
        let isDown = row.state == ServiceState.down.rawValue
        switch goal {
        case .ready:
            if row.isReady && row.state == ServiceState.up.rawValue { return .reached }
            guard isDown else { return .notYet }
            // One that is wanted and has ended by itself has done its work, or is not to be started again.
            let hasEnded = row.lastExit.map { !$0.wasRequested } ?? false
            return row.wanted == Desired.down.rawValue || hasEnded ? .never : .notYet
        case .exit:
            return row.pid == nil || row.pid != first.pid ? .reached : .notYet
        case .down:
            return isDown ? .reached : .notYet
        }
    }

    private func tell(_ row: UnitStatus, _ session: CommandContext) {
        let shown = DisplayWidth.printable(row.name)
        let end = row.lastExit.map { $0.reason.phrase } ?? "it has not run"
        switch goal {
        case .ready: session.output.line("\(shown) is ready" + (row.pid.map { ", pid \($0)" } ?? ""))
        case .exit, .down: session.output.line("\(shown) has ended: \(end)")
        }
    }
}
