import ArgumentParser
import JSON
import PMAPI

/// `pm connect NAME`.
struct ConnectCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Show where a service can be reached, or set it up.",
        discussion: """
            Without transports and options it shows the connection points, the preferred one first. With them it stores \
            new ones, at which the service listens from its next start on, and pm at once.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service, or `pm`.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String

    @Argument(help: "Transports to set up: local, tcp, http, ws; or none, to take the connection points away.")
    var transports: [String] = []

    @Option(
        help: ArgumentHelp(
            "Port of TCP, of this machine only unless a host stands before it.", valueName: "[host:]port"))
    var tcpPort: String?

    @Option(help: ArgumentHelp("Port of HTTP and WebSocket.", valueName: "[host:]port"))
    var port: String?

    @Option(help: ArgumentHelp("Host of TCP, HTTP and WebSocket; 127.0.0.1 unless given.", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("TLS key, a PEM file.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("TLS certificate, a PEM file.", valueName: "file"))
    var cert: String?

    @Option(
        help: ArgumentHelp("Authorities of the certificates that clients must show, a PEM file.", valueName: "file"))
    var ca: String?

    @Option(
        help: ArgumentHelp("For pm: file of the token that HTTP and WebSocket clients must send.", valueName: "file"))
    var token: String?

    @Option(
        help: ArgumentHelp(
            "For pm: the client certificates that are good, by names in them or sha256: fingerprints.",
            valueName: "names"))
    var clients: String?

    @Option(help: ArgumentHelp("For pm: file of the client certificates that are revoked.", valueName: "file"))
    var crl: String?

    @Option(
        help: ArgumentHelp(
            "For pm: what clients may call: services, commands, methods (shop,db.get,status).", valueName: "patterns"))
    var allow: String?

    @Option(
        help: ArgumentHelp("For pm: `network` serves whoever reaches the point, without any proof.", valueName: "whom"))
    var trust: String?

    @Option(help: ArgumentHelp("The unix socket, instead of the service's name.", valueName: "name"))
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
