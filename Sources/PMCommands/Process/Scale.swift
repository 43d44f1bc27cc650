import ArgumentParser
import PMAPI

/// `pm scale NAME N`.
struct ScaleCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Change how many instances of a stateless service run.",
        discussion: "The number is kept in the configuration; what runs follows at once.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", transform: ServiceArgument.read)
    var name: String

    @Argument(help: "How many instances.")
    var instances: Int

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let answer = try session.connect().ask(Scale(name: name, instances: instances), within: nil)
        switch session.format {
        case .json: session.output.line(answer.json.text)
        case .table:
            for name in answer.started { session.output.line("\(DisplayWidth.printable(name)) started") }
            for name in answer.stopped { session.output.line("\(DisplayWidth.printable(name)) stopped") }
        }
        return .success
    }
}
