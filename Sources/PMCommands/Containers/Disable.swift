import ArgumentParser
import PMAPI

/// `pm disable NAME...`.
struct DisableCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Do not start a service when pm starts.",
        discussion: """
            pm writes "autostart": false into the configuration, and neither starts nor stops the service now.

            EXAMPLES
              pm disable web
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The services; `all`, or a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        try ConfigurationFile(session).setAutostart(of: names, to: false, session)
    }
}
