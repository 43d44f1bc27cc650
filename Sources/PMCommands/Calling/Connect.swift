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
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The service, or `pm` for the daemon.", completion: ServiceArgument.completion,
        transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The transports to listen with: local, tcp, http, ws; none removes the connection points.")
    var transports: [String] = []

    @Option(
        help: ArgumentHelp(
            "TCP port. Without a host, only this machine can connect.", valueName: "[host:]port"))
    var tcpPort: String?

    @Option(help: ArgumentHelp("HTTP and WebSocket port.", valueName: "[host:]port"))
    var port: String?

    @Option(help: ArgumentHelp("Host for TCP, HTTP and WebSocket; without it 127.0.0.1.", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("File with the TLS key (PEM).", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("File with the TLS certificate (PEM).", valueName: "file"))
    var cert: String?

    @Option(
        help: ArgumentHelp(
            "File with the authorities that must have signed a client's certificate (PEM).", valueName: "file"))
    var ca: String?

    @Option(
        help: ArgumentHelp("For pm: file with the token that HTTP and WebSocket clients must send.", valueName: "file"))
    var token: String?

    @Option(
        help: ArgumentHelp(
            "For pm: the only client certificates to accept, by a name in them or a sha256: fingerprint.",
            valueName: "names"))
    var clients: String?

    @Option(help: ArgumentHelp("For pm: file with the revoked client certificates (PEM).", valueName: "file"))
    var crl: String?

    @Option(
        help: ArgumentHelp(
            "For pm: the services, commands and methods that clients may call (shop,db.get,status).",
            valueName: "patterns"))
    var allow: String?

    @Option(
        help: ArgumentHelp(
            "For pm: `network` serves every client that can connect, without authentication.", valueName: "whom"))
    var trust: String?

    @Option(help: ArgumentHelp("Name of the unix socket, instead of the service's name.", valueName: "name"))
    var socketName: String?

    private func call(_ session: CommandContext) throws(APIError) -> Connect {
        var call = Connect(name: name)
        call.transports = transports
        let given = [
            ("tcpPort", tcpPort), ("port", port), ("host", host), ("key", key), ("cert", cert), ("ca", ca),
            ("token", token), ("clients", clients), ("crl", crl), ("allow", allow), ("trust", trust),
            ("socketName", socketName),
        ]
        for case (let name, let value?) in given { call.options[name] = .string(value) }
        if [key, cert, ca, crl, token].contains(where: { $0 != nil }) { call.cwd = try session.workingDirectory() }
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let text = try session.connect().askForText(try call(session))
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
