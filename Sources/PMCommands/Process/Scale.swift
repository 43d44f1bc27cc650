import ArgumentParser
import PMAPI

/// `pm scale NAME N`.
struct ScaleCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Change the number of instances of a stateless service.",
        discussion: """
            pm stores the number in the configuration, and starts or stops instances at once.

            EXAMPLES
              pm scale web 4
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The service.", completion: .from(.services), transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The number of instances that there are to be.", transform: Self.number)
    var instances: Int

    /// Reads a whole number. Other managers take `+2` for two more: taken for two, it would stop the rest.
    static func number(_ text: String) throws -> Int {
        guard text.first != "+", let number = Int(text) else {
            throw ValidationError(
                "'\(text)' is no number of instances; give the number of all of them, as in `pm scale web 3`.")
        }
        return number
    }

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
