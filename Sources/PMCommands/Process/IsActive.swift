import ArgumentParser
import PMAPI
import PMClient

/// `pm is-active NAME...`.
struct IsActiveCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "is-active",
        abstract: "Print the state of services; exit with 0 if all of them are up, else with 1.",
        discussion: """
            A service is up when it runs and is ready. `pm is-active web --quiet && echo yes` is for scripts; `pm wait \
            web` waits until it is up.

            EXAMPLES
              pm is-active web --quiet && echo yes
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Print nothing.")
    var quiet = false

    @Argument(
        help: "The services; `all`, or a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String]

    /// A service that runs and is not ready is starting.
    private static func word(_ row: UnitStatus) -> String {
        row.state == ServiceState.up.rawValue && !row.isReady ? ServiceState.starting.rawValue : row.state
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let rows = try ServiceNames(client: try session.connect()).rows(of: names)
        if !quiet {
            switch session.format {
            case .json: session.output.line(rows.json.text)
            case .table: for row in rows { session.output.line(DisplayWidth.printable(Self.word(row))) }
            }
        }
        return rows.allSatisfy { $0.state == ServiceState.up.rawValue && $0.isReady } ? .success : .failure
    }
}
