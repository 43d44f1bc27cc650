import ArgumentParser
import PMAPI

/// `pm unmap NAME`.
struct UnmapCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmap", abstract: "Remove services that do not run from the configuration.",
        discussion: """
            pm removes the mapping of that name and the definition of that name. A definition that another service uses \
            is kept. Files of the program and its log are kept, too.
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(
        help: "The services; a pattern with * for several.", completion: ServiceArgument.completion,
        transform: ServiceArgument.read)
    var names: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let services = ServiceNames(client: try session.connect())
        let calls = try services.expanded(names).map(Unmap.init(name:))
        let refusals = try services.answers(to: calls) { call, answer in tell(answer, of: call.name, session) }
        try ServiceNames.report(refusals, session)
        return .success
    }

    private func tell(_ answer: Unmap.Answer, of name: String, _ session: CommandContext) {
        let shown = DisplayWidth.printable(name)
        switch session.format {
        case .json: session.output.line(answer.json.text)
        case .table: session.output.line("\(shown) removed")
        }
        if let user = answer.user {
            session.note("keeps the definition \(shown), which \(DisplayWidth.printable(user)) uses")
        }
    }
}
