import ArgumentParser
import JSON
import PMAPI

/// `pm unmap NAME`.
struct UnmapCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmap", abstract: "Remove services that do not run from the configuration.",
        discussion: """
            pm removes the mapping of that name and the definition of that name. A definition that another service uses \
            is kept. Files of the program and its log are kept, too.

            EXAMPLES
              pm unmap db
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(
        help: "The services; a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let services = ServiceNames(client: try session.connect())
        let calls = try services.expanded(names).map(Unmap.init(name:))
        var results: [JSONValue] = []
        let refusals = try services.answers(to: calls) { call, answer in
            results.append(answer.json)
            tell(answer, of: call.name, session)
        }
        ServiceNames.show(results, of: names, session)
        try ServiceNames.report(refusals, session)
        return .success
    }

    private func tell(_ answer: Unmap.Answer, of name: String, _ session: CommandContext) {
        let shown = DisplayWidth.printable(name)
        if session.format == .table { session.output.line("\(shown) removed") }
        if let user = answer.user {
            session.note("keeps the definition \(shown), which \(DisplayWidth.printable(user)) uses")
        }
    }
}
