import ArgumentParser
import JSON
import PMAPI
import PMClient

/// `pm status [NAME]`.
struct StatusCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which services run, and how each one last ended.",
        discussion: """
            Services that fail come first. The exit code is 0 for each service that is known, running or not, and 66 for \
            an unknown one; `pm is-active NAME` exits with 0 only if the service is up.

            EXAMPLES
              pm status --failed
              pm status api -o json
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Show only services that fail.")
    var failed = false

    @Flag(help: "Show all columns in full, also if lines are wider than the terminal.")
    var wide = false

    @Option(help: ArgumentHelp("Use colours: auto, always or never.", valueName: "when"))
    var color = ColourChoice.auto

    @Argument(
        help: "The services, or patterns with *; without a name all services.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String] = []

    /// The one service that the command line names; nil: several, or all.
    var name: String? { names.count == 1 && !ServiceNames.isPattern(names[0]) ? names[0] : nil }

    /// The call that this command line means.
    var call: Status { Status(name: name) }

    /// True when not all rows of the answer are shown.
    private var isSelection: Bool { failed || (name == nil && !names.isEmpty) }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var session = session
        session.terminal.use(color)
        let client = try session.connect()
        if session.format == .json {
            if isSelection {
                session.output.line(try selected(client).json.text)
                return .success
            }
            session.output.write(try client.askForText(call) + [UInt8(ascii: "\n")])
            return .success
        }
        // Two requests, one round trip: who answers, and the rows.
        let version = try reporting { () throws(ClientError) in try client.send(Version()) }
        let status = try reporting { () throws(ClientError) in try client.send(call) }
        let header = try header(client, version, session)
        var rows = try reporting { () throws(ClientError) in try client.answer(to: status, of: Status.self) }
        session.errors.line(header)
        if name == nil, let summary = StatusSummary.sentence(of: rows) {
            session.errors.line(Style(isOn: session.terminal.hasErrorColour)(.dim, summary))
        }
        rows = isSelection ? try selected(client) : StatusSummary.failingFirst(rows)
        let table = StatusTable.make(rows, now: session.clock.wall())
        session.output.write(table.rendered(width: wide ? nil : session.terminal.columns, session.style))
        tellDrift(rows, session)
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

    /// The rows that the command line selects.
    private func selected(_ client: DaemonClient) throws(APIError) -> [UnitStatus] {
        let services = ServiceNames(client: client)
        let rows = names.isEmpty ? try client.ask(Status(name: nil)) : try services.rows(of: names)
        return StatusSummary.failingFirst(failed ? rows.filter(\.isFailing) : rows)
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

    /// Services that run with an earlier configuration, and the next step.
    private func tellDrift(_ rows: [UnitStatus], _ session: CommandContext) {
        let outdated = rows.filter { !$0.drift.isEmpty }
        for row in outdated.prefix(Self.driftsShown) {
            let keys = row.drift.joined(separator: ", ")
            session.note(DisplayWidth.printable("\(row.name) is older than its configuration: \(keys)"))
        }
        let more = outdated.count - Self.driftsShown
        if more > 0 { session.note("\(more) more services are older than their configuration") }
        if !outdated.isEmpty { session.note("pm apply --plan shows what would bring them up to date") }
    }

    private static let driftsShown = 5

    /// For one service: what it wrote last before it died, the exits before, and the next step.
    private func tellDeath(_ row: UnitStatus, _ session: CommandContext) {
        guard let death = row.lastExit else { return }
        if !death.lastLines.isEmpty {
            let exit = DisplayWidth.printable(StatusTable.lastExit(death, session.clock.wall()))
            session.output.line("\nlast output before \(exit):")
        }
        for line in death.lastLines {
            session.output.line(session.style(.dim, "  | ") + DisplayWidth.printable(line))
        }
        guard let card = row.failure else { return }
        if let seen = death.probe, row.probe == nil {
            session.output.line("\nreadiness check before that: \(DisplayWidth.printable(seen))")
        }
        if let history = FailureHistory.sentence(of: card) { session.output.line("\n\(history)") }
        session.output.line("\n\(session.style(.cyan, "hint:")) \(DisplayWidth.printable(card.nextStep))")
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
        let wait = waited.milliseconds > 0 ? ", of which \(waited.milliseconds) ms waiting for the processor" : ""
        return "pm: \(turns) took longer than 50 ms, the longest \(longest.milliseconds) ms\(wait), "
            + "most of it with \(cause)"
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
