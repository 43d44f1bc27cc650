import ArgumentParser
import PMAPI

/// `pm reload-metadata NAME`.
struct ReloadMetadataCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload-metadata", abstract: "Make a running service read its list of commands again.",
        discussion: """
            EXAMPLES
              pm reload-metadata api
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The service.", completion: .from(.services), transform: ServiceArgument.read)
    var name: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let metadata = try session.connect().ask(ReloadMetadata(name: name), within: nil)
        switch session.format {
        case .json: session.output.line(metadata.json.text)
        case .table:
            for command in metadata.commands where command.isPublished {
                session.output.line(DisplayWidth.printable(command.name))
            }
        }
        return .success
    }
}
