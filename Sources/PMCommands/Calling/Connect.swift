import ArgumentParser
import JSON
import PMAPI

/// `pm connect NAME`.
struct ConnectCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Show or change where clients can reach a service.",
        discussion: """
            `pm connect api` shows the connection points of the service api, the preferred one first. `pm connect api \
            ws --port 8080` replaces them: the service listens there from its next start on. The daemon itself (`pm \
            connect pm ws --port 8080`) listens at once.

            EXAMPLES
              pm connect api
              pm connect pm ws --port 8080
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The service, or `pm` for the daemon.", completion: .from(.services, .daemon),
        transform: ServiceArgument.read)
    var name: String

    @Argument(
        help: "The transports to listen with: local, tcp, http, ws; none removes the connection points.",
        completion: .list(["local", "tcp", "http", "ws", "none"]))
    var transports: [String] = []

    @OptionGroup var points: PointOptions

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let text = try session.connect().askForText(try points.call(name, transports, session))
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table:
            let points = try Connect.Answer(json: parsedAnswer(text)).points
            if points.isEmpty {
                session.output.line("\(DisplayWidth.printable(name)) has no connection point of its own")
            }
            for point in points {
                let options = point.options == "{}" ? "" : "  \(point.options)"
                session.output.line(DisplayWidth.printable(point.url + options))
            }
        }
        return .success
    }
}
