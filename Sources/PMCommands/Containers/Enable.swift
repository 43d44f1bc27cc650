import ArgumentParser
import PMAPI
import PMConfig

/// `pm enable NAME`.
struct EnableCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Start a service whenever pm starts.",
        discussion: """
            pm writes "autostart": true into the configuration, and neither starts nor stops the service now.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let file = try ConfigurationFile(session)
        let service = try file.service(name)
        try file.edit(.setAutostart(service, true), at: ["mapping", service, "autostart"])
        switch session.format {
        case .json: session.output.line("true")
        case .table: session.output.line(DisplayWidth.printable("\(service) starts whenever pm starts"))
        }
        return .success
    }
}
