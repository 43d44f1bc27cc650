import ArgumentParser
import PMAPI
import PMConfig

/// `pm disable NAME`.
struct DisableCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Do not start a service when pm starts.",
        discussion: """
            pm writes "autostart": false into the configuration, and neither starts nor stops the service now.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let file = try ConfigurationFile(session)
        let service = try file.service(name)
        try file.edit(.setAutostart(service, false), at: ["mapping", service, "autostart"])
        switch session.format {
        case .json: session.output.line("false")
        case .table: session.output.line(DisplayWidth.printable("\(service) does not start with pm"))
        }
        return .success
    }
}
