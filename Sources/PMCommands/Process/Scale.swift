import ArgumentParser
import PMAPI

/// `pm scale NAME N`.
struct ScaleCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Change the number of instances of a stateless service.",
        discussion: "pm stores the number in the configuration, and starts or stops instances at once.")

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The service.", transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The number of instances.")
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
