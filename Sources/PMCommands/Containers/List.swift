import ArgumentParser
import PMAPI

/// `pm ls`.
struct ListCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the services that can be started.",
        discussion: """
            EXAMPLES
              pm ls
              pm ls -o json
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        if session.format == .json {
            session.output.write(try client.askForText(List()) + [UInt8(ascii: "\n")])
            return .success
        }
        let table = Self.table(try client.ask(List()))
        session.output.write(table.rendered(width: session.terminal.columns, session.style))
        return .success
    }

    static func table(_ answer: List.Answer) -> Table {
        var table = Table([
            .init(title: "NAME", importance: 10, narrowest: 8), .init(title: "TYPE", importance: 6, narrowest: 6),
            .init(title: "COMMANDABLE", importance: 5, narrowest: 11),
            .init(title: "STATELESS", importance: 2, narrowest: 9),
            .init(title: "DEPENDS ON", importance: 4, narrowest: 10),
            .init(title: "PATH", importance: 3, narrowest: 12),
        ])
        for entry in answer.entries {
            let definition = entry.definition
            table.add([
                .init(entry.name), .init(definition.runtime.rawValue), .init(definition.isCommandable ? "yes" : "no"),
                .init(definition.isStateless ? "yes" : "no"),
                .init(definition.dependencies.isEmpty ? "-" : definition.dependencies.joined(separator: ", ")),
                .init(definition.path),
            ])
        }
        return table
    }
}
