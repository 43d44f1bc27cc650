import ArgumentParser
import JSON
import PMAPI
import PMClient

/// `pm status [NAME]`.
struct StatusCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which services run, and how each one last ended.")

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The service; without a name all services.", completion: ServiceArgument.completion,
        transform: ServiceArgument.read)
    var name: String?

    /// The call that this command line means.
    var call: Status { Status(name: name) }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        if session.format == .json {
            session.output.write(try client.askForText(call) + [UInt8(ascii: "\n")])
            return .success
        }
        // Two requests, one round trip: who answers, and the rows.
        let version = try reporting { () throws(ClientError) in try client.send(Version()) }
        let status = try reporting { () throws(ClientError) in try client.send(call) }
        let header = try header(client, version, session)
        let rows = try reporting { () throws(ClientError) in try client.answer(to: status, of: Status.self) }
        session.errors.line(header)
        let table = StatusTable.make(rows, now: session.clock.wall())
        session.output.write(table.rendered(width: session.terminal.columns, session.style))
        for row in rows {
            if session.isVerbose, let turns = row.longTurns { session.note(DisplayWidth.printable(turns.sentence)) }
            for problem in row.problems { session.note(DisplayWidth.printable("\(row.name): \(problem)")) }
        }
        if let name, let row = rows.first(where: { $0.name == name }) {
            if let text = row.statusText { session.output.line("\nstatus text: \(DisplayWidth.printable(text))") }
            if let seen = row.probe { session.output.line("\nreadiness check: \(DisplayWidth.printable(seen))") }
            if let live = row.live { session.output.line("\nliveness check: \(DisplayWidth.printable(live.sentence))") }
            if let url = row.inspector { session.output.line("\ninspector: \(DisplayWidth.printable(url))") }
            tellDeath(row, session)
        }
        return .success
    }

    /// `pm 0.1.0, project daemon of /srv/app/.pm.config.json, pid 12`; on standard error, so that pipes get only rows.
    private func header(
        _ client: DaemonClient, _ ticket: DaemonClient.Ticket, _ session: CommandContext
    ) throws(APIError) -> String {
        let style = Style(isOn: session.terminal.hasErrorColour)
        let text: String
        do throws(ClientError) {
            let who = try client.answer(to: ticket, of: Version.self)
            text = "pm \(who.version), \(who.scope) daemon of \(who.config), pid \(who.pid)"
        } catch {
            // The reference's daemon has another `version`: the rows are still worth showing.
            guard case .refused = error else { throw error.report }
            text = "pm at \(client.address)"
        }
        return style(.dim, DisplayWidth.printable(text))
    }

    /// For one service: what it wrote last before it died.
    private func tellDeath(_ row: UnitStatus, _ session: CommandContext) {
        guard let death = row.lastExit, !death.lastLines.isEmpty else { return }
        let exit = DisplayWidth.printable(StatusTable.lastExit(death, session.clock.wall()))
        session.output.line("\nlast output before \(exit):")
        for line in death.lastLines { session.output.line(session.style(.dim, "  | ") + DisplayWidth.printable(line)) }
    }
}

extension UnitStatus.Liveness {
    /// The last results in words.
    fileprivate var sentence: String {
        failures == 0 ? "\(check), passes" : "\(check), failed \(failures == 1 ? "once" : "\(failures) times"): \(seen)"
    }
}

extension UnitStatus.LongTurns {
    /// The turns in words.
    fileprivate var sentence: String {
        let turns = count == 1 ? "1 turn of its loop" : "\(count) turns of its loop"
        return "pm: \(turns) took longer than 50 ms, the longest \(longest.milliseconds) ms, most of it with \(cause)"
    }
}

/// The daemon's answer as a value; throws when it is no JSON.
func parsedAnswer(_ text: [UInt8]) throws(APIError) -> JSONValue {
    do {
        return try JSONValue(parsing: text)
    } catch {
        throw APIError(500, "the answer does not come from a pm daemon: \(error)")
    }
}
