import PMAPI
import PMModel

/// Options of the gateway's command line.
struct GatewayOptions: Equatable {
    /// The path of the daemon's gate, or of its own socket.
    var daemon = ""
    /// The points to listen at.
    var points: [NetworkPoint] = []
    /// Limits for clients.
    var limits = GatewayLimits()
    /// The files through which a daemon tells it the rest and hears of it; nil: all is on the command line.
    var files: PlanFiles?
    /// True when only the help is wanted.
    var wantsHelp = false

    /// An invalid argument.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads the arguments, without the program's name; relative paths start in `directory`.
    ///
    /// - Throws: `Problem` for an unknown or incomplete one, or when one is missing.
    init(_ arguments: [String], in directory: String) throws(Problem) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" {
                wantsHelp = true
                return
            }
            guard let value = rest.popFirst() else {
                throw Problem(description: "\(argument) needs a value, or is unknown")
            }
            switch argument {
            case "--daemon": daemon = try Self.socket(value, in: directory)
            case "--listen": points.append(try Self.point(value, in: directory))
            case "--plan": files = PlanFiles(plan: Paths.resolve(value, from: directory), state: files?.state)
            case "--state": files = PlanFiles(plan: files?.plan, state: Paths.resolve(value, from: directory))
            case "--connections": limits.connections = try Self.number(value, argument, 1...100_000)
            case "--message-limit": limits.message = try Self.number(value, argument, 1024...(64 << 20))
            case "--memory-limit": limits.memory = try Self.number(value, argument, 1024...(64 << 30))
            case "--handshake-timeout": limits.handshake = .seconds(try Self.number(value, argument, 1...3600))
            default: throw Problem(description: "unknown argument \(argument)")  // words, not an enum of ours
            }
        }
        if let files {
            try refuseMixture(files)
            return
        }
        if daemon.isEmpty { throw Problem(description: "--daemon is missing: the URL of the daemon's socket") }
        if points.isEmpty { throw Problem(description: "--listen is missing: where to listen") }
        try refuseTwice()
    }

    /// The files stand for themselves: what they say is not on the command line as well.
    private func refuseMixture(_ files: PlanFiles) throws(Problem) {
        if files.plan == nil || files.state == nil {
            throw Problem(description: "--plan and --state must be given together")
        }
        if !daemon.isEmpty || !points.isEmpty {
            throw Problem(description: "--daemon and --listen cannot be used with --plan, which contains both")
        }
    }

    /// Text of `--help`.
    static let help = """
        Usage: pm-gateway --daemon URL --listen URL[,OPTION=VALUE]... [options]
               pm-gateway --plan FILE --state FILE [options]

        Lets programs on the network use a pm daemon: TCP, TLS, WebSocket and HTTP on one side, the daemon's unix socket
        on the other. The daemon starts it when `pm connect pm` says where to listen, and gives it a socket of its own, the
        gate, over which each client can do what the daemon allows. Started by hand it can use the daemon's own socket too,
        if its user may.

          --daemon URL             the daemon's gate or socket: jsonrpc+unix:///run/pm/pm.sock, or its path
          --listen URL[,OPTION=VALUE]...
                                   where to listen, once for each place
          --plan FILE              where a daemon says both, as a JSON list of these arguments; when it changes, what is
                                   served does too, and when it is removed the gateway ends
          --state FILE             where it tells the daemon what it serves, and what it cannot
          --connections N          how many clients at once (\(GatewayLimits().connections))
          --message-limit BYTES    the longest message of a WebSocket or HTTP client (\(GatewayLimits().message))
          --memory-limit BYTES     what all clients together may make it hold (\(GatewayLimits().memory))
          --handshake-timeout S    seconds for a TLS handshake, a first line, or the head of an HTTP request (10)
          -h, --help               this text

        URLs:
          jsonrpc+tcp://HOST[:PORT]   jsonrpc+tcp+tls://HOST[:PORT]   (port \(NetworkPoint.defaultPort))
          jsonrpc+unix+tls:///PATH
          ws://HOST[:PORT]   wss://HOST[:PORT]   http://HOST[:PORT]   https://HOST[:PORT]   (ports 80 and 443)

        Options of a place (a comma in a value is written %2C):
          key=FILE, cert=FILE      TLS: private key and certificate chain, PEM; read again when they change
          ca=FILE                  TLS: authorities of client certificates, PEM; clients must show one of theirs
          crl=FILE                 TLS: certificates that the authorities have revoked, PEM
          clients=NAME             TLS: a name in the certificate of a client, or sha256:FINGERPRINT; others are refused
          token=FILE               ws, http: clients must send the token in this file (Authorization: Bearer TOKEN);
                                   with ca as well, either proof is enough
          allow=PATTERN            what clients may call: shop, shop.get, *.health, status
          origins=ORIGIN           ws, http: pages of this origin may use it, https://app.example for example
          hosts=NAME               ws, http: clients may call it by this name

        tokens={"file":"FILE","allow":["PATTERN"]} and clients={"name":"NAME","allow":["PATTERN"]} have rights of their own.
        The daemon reads tokens and decides. Beyond this machine the gateway listens only with ca, token or trust=network. Exit codes: 0 stopped, 64 wrong arguments, 1 other failures.

        """

    private static func socket(_ text: String, in directory: String) throws(Problem) -> String {
        guard let path = Paths.path(ofSocketURL: text) ?? (text.contains("://") ? nil : text), !path.isEmpty else {
            throw Problem(description: "--daemon must be jsonrpc+unix://PATH or a path, not \(text)")
        }
        return Paths.resolve(path, from: directory)
    }

    private static func point(_ text: String, in directory: String) throws(Problem) -> NetworkPoint {
        do throws(APIError) {
            return try NetworkPoint(word: text, in: directory)
        } catch {
            throw Problem(description: error.message + (error.hint.map { "\nhint: \($0)" } ?? ""))
        }
    }

    private static func number(_ text: String, _ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Problem(
                description: "\(name) must be a number from \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return number
    }

    /// Only WebSocket and HTTP can share a place, and only with the same options.
    private func refuseTwice() throws(Problem) {
        for (index, point) in points.enumerated() {
            guard let other = points[..<index].first(where: { $0.place == point.place }) else { continue }
            let isShareable = other.isSame(as: point)
            guard isShareable else {
                throw Problem(
                    description:
                        "\(other.url) and \(point.url) cannot share an address: only ws and http, or wss and https, "
                        + "with the same options can")
            }
        }
    }
}

extension NetworkPoint {
    /// True when one listening socket can serve both.
    fileprivate func isSame(as other: NetworkPoint) -> Bool {
        transport.isWeb && other.transport.isWeb && transport != other.transport && secrets == other.secrets
            && tokens == other.tokens && clients == other.clients && allow == other.allow && proof == other.proof
            && origins == other.origins && hosts == other.hosts
    }
}

/// The files through which a daemon and a gateway that it did not start itself know of each other.
struct PlanFiles: Equatable {
    /// Path of the points to serve, written by the daemon.
    var plan: String?
    /// Path of the points that are served, written by the gateway.
    var state: String?
}
