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
        try ConfigurationFile(session).setAutostart(of: name, to: true, session)
    }
}

extension ConfigurationFile {
    /// Sets whether a service starts with pm, and says so.
    func setAutostart(of name: String, to isOn: Bool, _ session: CommandContext) throws(APIError) -> ExitCode {
        let service = try service(name)
        try edit(.setAutostart(service, isOn), at: ["mapping", service, "autostart"])
        switch session.format {
        case .json: session.output.line("\(isOn)")
        case .table:
            let when = isOn ? "starts whenever pm starts" : "does not start with pm"
            session.output.line(DisplayWidth.printable("\(service) \(when)"))
        }
        return .success
    }
}
