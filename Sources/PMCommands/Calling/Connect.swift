import ArgumentParser
import PMAPI

/// `pm connect NAME`.
struct ConnectCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Show where a service can be reached, the preferred way first.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service, or `pm`.", transform: ServiceArgument.read)
    var name: String

    func execute(_ session: Session) throws(APIError) -> ExitCode {
        let text = try session.connect().askForText(Connect(name: name))
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table:
            for point in try Connect.Answer(json: parsedAnswer(text)).points {
                let options = point.options == "{}" ? "" : "  \(point.options)"
                session.output.line(DisplayWidth.printable(point.url + options))
            }
        }
        return .success
    }
}
