import ArgumentParser
import JSON
import PMAPI

/// `pm get NAME [KEY]`.
struct GetCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show what the configuration says of a service.",
        discussion: """
            `pm get web` shows the mapping and the container of web as JSON, `pm get web limits.memory` one value. The exit \
            code is 66 if the file does not have the key; the default then counts.

            EXAMPLES
              pm get web
              pm get web limits.memory
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", completion: .from(.services), transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The key, with dots: limits.memory, env.PORT.", completion: .from(.settings))
    var key: String?

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let file = try ConfigurationFile(session)
        let service = try file.service(name)
        let value: JSONValue
        if let key {
            let keys = try file.path(of: key, service: service)
            guard let found = file.value(at: keys) else {
                throw .notFound(
                    "\(service) has no \"\(key)\" in the configuration",
                    hint: "pm get \(service.shellWord) shows what it has")
            }
            value = found
        } else {
            let container = file.file.configuration.mapping(service)?.container ?? service
            value = [
                "container": file.value(at: ["containers", container]) ?? .null,
                "mapping": file.value(at: ["mapping", service]) ?? [:],
            ]
        }
        show(value, session)
        return .success
    }

    private func show(_ value: JSONValue, _ session: CommandContext) {
        switch session.format {
        case .json: session.output.line(value.text)
        case .table:
            let text = value.string ?? String(decoding: value.serialized(indent: "  "), as: UTF8.self)
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                session.output.line(DisplayWidth.printable(String(line)))
            }
        }
    }
}
