import ArgumentParser
import JSON
import PMAPI
import PMConfig

/// `pm set NAME KEY VALUE`.
struct SetCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change one setting of a service in the configuration.",
        discussion: """
            `pm set web limits.memory 512M`, `pm set web env.PORT 8080`, `pm set web cli '["--verbose"]'`: a VALUE that is JSON counts as \
            JSON, any other as text. Without VALUE pm removes the key. A value with which the file would be wrong is refused, and the \
            file stays as it is. Everything else in the file stays byte for byte. The daemon uses the value at the next start of the service.

            EXAMPLES
              pm set web env.PORT 8080
              pm set web limits.memory
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", completion: .from(.services), transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The key, with dots: limits.memory, env.PORT.", completion: .from(.settings))
    var key: String

    @Argument(help: "The value: JSON, or text.", completion: .file())
    var value: String?

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let file = try ConfigurationFile(session)
        let service = try file.service(name)
        let keys = try file.path(of: key, service: service)
        // A text that is no JSON is itself.
        let parsed = value.map { (try? JSONValue(parsing: Array($0.utf8))) ?? .string($0) }
        try file.edit(.setValue(keys, parsed), at: keys)
        let shown = DisplayWidth.printable("\(service) \(key)")
        switch session.format {
        case .json: session.output.line((parsed ?? .null).text)
        case .table:
            session.output.line(parsed.map { "\(shown) = \(DisplayWidth.printable($0.text))" } ?? "\(shown) removed")
        }
        return .success
    }
}
