import ArgumentParser
import PMAPI

/// `pm name`.
struct NameCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "name", abstract: "Print a random name for a service.",
        discussion: """
            EXAMPLES
              pm name
            """)

    @OptionGroup var global: GlobalOptions

    /// Made up by the daemon, which knows what is taken; without one here.
    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let name: String
        do throws(APIError) {
            name = try session.connect().ask(Name())
        } catch {
            guard error.statusCode == 503 else { throw error }
            var generator = SystemRandomNumberGenerator()
            name = RandomName.make(using: &generator)
        }
        session.output.line(session.format == .json ? name.json.text : DisplayWidth.printable(name))
        return .success
    }
}
