import ArgumentParser
import PMAPI

/// `pm unmap NAME`.
struct UnmapCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmap", abstract: "Remove a service that does not run from the configuration.",
        discussion: """
            pm removes the mapping of that name and the definition of that name. A definition that another service uses \
            is kept. Files of the program and its log are kept, too.
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The service.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let answer = try session.connect().ask(Unmap(name: name))
        let shown = DisplayWidth.printable(name)
        switch session.format {
        case .json: session.output.line(answer.json.text)
        case .table: session.output.line("\(shown) removed")
        }
        if let user = answer.user {
            session.note("keeps the definition \(shown), which \(DisplayWidth.printable(user)) uses")
        }
        return .success
    }
}
