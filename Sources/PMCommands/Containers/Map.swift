import ArgumentParser
import PMAPI
import PMModel

/// `pm map NAME PATH`.
struct MapCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Register a program as a service.",
        discussion: """
            EXAMPLES
              pm map db ./db.js
              pm map api ./api/commands.json --commandable
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Flag(name: .shortAndLong, help: "The program answers commands.")
    var commandable = false

    @Flag(name: .shortAndLong, help: "Several instances of the program may run at once.")
    var stateless = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The runtime: nodejs, worker, docker or one of a plugin.", valueName: "type"),
        completion: .from(.runtimes), transform: Self.runtime)
    var runtime = RuntimeKind.nodejs

    @Argument(help: "The name to register.", transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The program, or its commands.json.", completion: .file())
    var path: String

    private static func runtime(_ text: String) throws -> RuntimeKind {
        guard let kind = RuntimeKind(rawValue: text) else {
            throw ValidationError(
                "There is no runtime '\(text)'; the runtimes are nodejs, worker, docker and those of plugins.")
        }
        return kind
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let definition = ContainerDefinition(
            path: path, runtime: runtime, isCommandable: commandable, isStateless: stateless)
        let call = Map(name: name, definition: definition, cwd: try session.workingDirectory())
        let client = try session.connect()
        let before = try client.ask(List()).entries.first { $0.name == name }?.definition
        let registered = try client.ask(call)
        switch session.format {
        case .json: session.output.line(registered.json.text)
        case .table: session.output.line(DisplayWidth.printable(registered))
        }
        if let before {
            let path = DisplayWidth.printable(before.path)
            session.note("replaces the definition of \(DisplayWidth.printable(name)), which was \(path)")
        }
        return .success
    }
}
