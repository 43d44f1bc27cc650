import ArgumentParser
import PMAPI

/// `pm plugins [NAME]`.
struct PluginsCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "List the plugins, what they offer, and what is wrong with them.",
        discussion: """
            Plugins are entries of "plugins" in the configuration; they add commands, runtimes, checks and routes to pm. \
            Each runs in a process of its own. pm starts one again that died; `pm log pm-plugin-NAME` shows why, and `pm \
            restart pm-plugin-NAME` starts it again by hand.

            EXAMPLES
              pm plugins
              pm plugins hello -o json
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The plugin; without it all are shown.", completion: .from(.plugins))
    var name: String?

    @Flag(help: "Print only the names of their commands, one a line, as shells need them for completion.")
    var commands = false

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        let call = Plugins(name: name)
        if session.format == .json {
            session.output.write(try client.askForText(call) + [UInt8(ascii: "\n")])
            return .success
        }
        let rows = try client.ask(call)
        if commands {
            for command in rows.flatMap(\.commands) { session.output.line(DisplayWidth.printable(command)) }
            return .success
        }
        if rows.isEmpty {
            session.note("the configuration has no \"plugins\"")
            return .success
        }
        session.output.write(Self.table(rows).rendered(width: session.terminal.columns, session.style))
        for row in rows {
            for problem in row.problems { session.note("\(row.name): \(problem)") }
        }
        return .success
    }

    static func table(_ rows: [PluginStatus]) -> Table {
        var table = Table([
            .init(title: "NAME", importance: 10, narrowest: 8), .init(title: "STATE", importance: 8, narrowest: 8),
            .init(title: "VERSION", importance: 2, narrowest: 7, isOptional: true),
            .init(title: "PID", isRight: true, importance: 4, narrowest: 5),
            .init(title: "RESTARTS", isRight: true, importance: 5, narrowest: 8),
            .init(title: "OFFERS", importance: 6, narrowest: 16), .init(title: "SOURCE", importance: 3, narrowest: 10),
        ])
        for row in rows {
            table.add([
                .init(row.name), .init(row.state.rawValue, look(of: row)), .init(row.version ?? "-"),
                .init(row.pid.map { "\($0)" } ?? "-"), .init("\(row.restarts)"),
                .init(row.offers.isEmpty ? "-" : row.offers), .init(row.source),
            ])
        }
        return table
    }

    private static func look(of row: PluginStatus) -> Style.Look {
        switch row.state {
        case .ready, .drivers: row.problems.isEmpty ? .green : .yellow
        case .starting, .stopping, .down: .yellow
        case .backoff, .unusable: .red
        }
    }
}
