import ArgumentParser
import PMAPI

/// `pm rename OLD NEW`.
struct RenameCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a service another name, without a restart.",
        discussion: """
            The processes of the service run on, with their counters; its log and its history go on under the new name. \
            Dependencies and hooks of other services that refer to it get the new name. The daemon is replaced by the \
            program on disk, as by pm upgrade.

            EXAMPLES
              pm rename web shop
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The service.", transform: ServiceArgument.read)
    var name: String

    @Argument(help: "Its new name.", transform: ServiceArgument.read)
    var newName: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let answer = try session.connect().ask(Rename(name: name, to: newName))
        _ = try session.successor(of: answer.daemon)
        switch session.format {
        case .json: session.output.line(answer.json.text)
        case .table:
            let (former, name) = (DisplayWidth.printable(answer.former), DisplayWidth.printable(answer.name))
            session.output.line("\(former) is now \(name)")
        }
        return .success
    }
}
