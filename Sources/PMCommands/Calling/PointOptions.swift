import ArgumentParser
import JSON
import PMAPI

/// The options of connection points, for `pm connect` and for `pm start pm`.
struct PointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "TCP port. Without a host, only this machine can connect.", valueName: "[host:]port"))
    var tcpPort: String?

    @Option(help: ArgumentHelp("HTTP and WebSocket port.", valueName: "[host:]port"))
    var port: String?

    @Option(help: ArgumentHelp("Host for TCP, HTTP and WebSocket; without it 127.0.0.1.", valueName: "host"))
    var host: String?

    @Option(
        help: ArgumentHelp("File with the TLS key (PEM).", valueName: "file"),
        completion: .file())
    var key: String?

    @Option(
        help: ArgumentHelp("File with the TLS certificate (PEM).", valueName: "file"),
        completion: .file())
    var cert: String?

    @Option(
        help: ArgumentHelp(
            "File with the authorities that must have signed a client's certificate (PEM).", valueName: "file"),
        completion: .file())
    var ca: String?

    @Option(
        help: ArgumentHelp("For pm: file with the token that HTTP and WebSocket clients must send.", valueName: "file"),
        completion: .file())
    var token: String?

    @Option(
        help: ArgumentHelp(
            "For pm: the only client certificates to accept, by a name in them or a sha256: fingerprint.",
            valueName: "names"))
    var clients: String?

    @Option(
        help: ArgumentHelp("For pm: file with the revoked client certificates (PEM).", valueName: "file"),
        completion: .file())
    var crl: String?

    @Option(
        help: ArgumentHelp(
            "For pm: the services, commands and methods that clients may call (shop,db.get,status).",
            valueName: "patterns"))
    var allow: String?

    @Option(
        help: ArgumentHelp(
            "For pm: `network` serves every client that can connect, without authentication.", valueName: "whom"),
        completion: .list(["network"]))
    var trust: String?

    @Option(help: ArgumentHelp("Name of the unix socket, instead of the service's name.", valueName: "name"))
    var socketName: String?

    /// Those that are given, by their names on the wire.
    var members: JSONObject {
        var members = JSONObject()
        let given = [
            ("tcpPort", tcpPort), ("port", port), ("host", host), ("key", key), ("cert", cert), ("ca", ca),
            ("token", token), ("clients", clients), ("crl", crl), ("allow", allow), ("trust", trust),
            ("socketName", socketName),
        ]
        for case (let name, let value?) in given { members[name] = .string(value) }
        return members
    }

    /// The call that gives a service these points.
    func call(_ name: String, _ transports: [String], _ session: CommandContext) throws(APIError) -> Connect {
        var call = Connect(name: name)
        (call.transports, call.options) = (transports, members)
        if [key, cert, ca, crl, token].contains(where: { $0 != nil }) { call.cwd = try session.workingDirectory() }
        return call
    }
}
