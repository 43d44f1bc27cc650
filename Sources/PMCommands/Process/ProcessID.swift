import ArgumentParser
import JSON
import PMAPI
import PMClient

/// `pm pid NAME...`.
struct ProcessIDCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "pid", abstract: "Print the process ids of services, one a line.",
        discussion: """
            `kill -USR2 $(pm pid web)` sends a signal to the service web. A service with several instances has a line for \
            each. If none of them runs, pm prints nothing and exits with 1.

            EXAMPLES
              pm pid web
              pm pid pm
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The services, or `pm` for the daemon.", completion: .from(.services, .daemon),
        transform: ServiceArgument.read)
    var names: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let pids = try ServiceNames(client: try session.connect()).rows(of: names).compactMap(\.pid)
        switch session.format {
        case .json: session.output.line(JSONValue.array(pids.map { JSONValue(Int($0)) }).text)
        case .table: for pid in pids { session.output.line(String(pid)) }
        }
        return pids.isEmpty ? .failure : .success
    }
}
