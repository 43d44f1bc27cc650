import ArgumentParser
import PMAPI

/// `pm discover [PATH] [NAME]`.
struct DiscoverCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover", abstract: "Register the services that a package offers.",
        discussion: """
            EXAMPLES
              pm discover ./packages/shop
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The package's directory.", completion: .directory)
    var path = "."

    @Argument(
        help: "The name to register, when the package offers exactly one service.", transform: ServiceArgument.read)
    var name: String?

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let call = Discover(path: path, name: name, cwd: try session.workingDirectory())
        // A workspace may hold thousands of packages on a slow disk.
        let text = try session.connect().askForText(call, within: .seconds(120))
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table:
            for name in try Discover.Answer(json: parsedAnswer(text)).names {
                session.output.line(DisplayWidth.printable(name))
            }
        }
        return .success
    }
}
