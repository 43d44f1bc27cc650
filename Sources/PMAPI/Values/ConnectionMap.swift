import JSON
public import PMModel

/// The connection points that transports and their options stand for: `local`, `tcp`, `http`, `ws`.
public struct ConnectionMap: Equatable, Sendable {
    /// A transport, by its word on a command line.
    public enum Transport: String, CaseIterable, Sendable {
        /// A unix socket.
        case local
        /// JSON-RPC over TCP.
        case tcp
        /// WebSocket.
        case ws
        /// HTTP.
        case http
    }

    /// The points in the order of the transports.
    public let points: [ConnectionPoint]

    /// Makes the points for a service; sockets and relative paths are put into `directory`.
    ///
    /// - Throws: a 400 that says which word, port or file is wrong.
    public init(for name: String, _ request: Connect, in directory: String) throws(APIError) {
        let asked = Set(try Self.transports(request))
        let options = request.options
        let secure = try Self.tls(options, in: directory)
        let isSecure = secure != nil
        let text = JSONValue.object(secure ?? JSONObject()).text
        var points: [ConnectionPoint] = []
        for transport in Transport.allCases where asked.contains(transport) {
            let url: String
            switch transport {
            case .local: url = try Self.local(try options.text("socketName") ?? name, isSecure, directory)
            case .tcp: url = try Self.tcp(options, isSecure, directory)
            case .ws: url = try Self.web(isSecure ? "wss" : "ws", options, isSecure)
            case .http: url = try Self.web(isSecure ? "https" : "http", options, isSecure)
            }
            points.append(ConnectionPoint(url: url, options: text))
        }
        self.points = points
    }

    /// The words that were given, else those that the options are for.
    private static func transports(_ request: Connect) throws(APIError) -> [Transport] {
        var found: [Transport] = []
        for word in request.transports {
            guard let transport = Transport(rawValue: word) else {
                let known = Transport.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("there is no transport \(word)", hint: "the transports are \(known)")
            }
            found.append(transport)
        }
        guard found.isEmpty else { return found }
        if request.options["tcpPort"] != nil { found.append(.tcp) }
        if request.options["port"] != nil { found.append(.http) }
        return found.isEmpty ? [.local] : found
    }

    private static func tls(_ options: JSONObject, in directory: String) throws(APIError) -> JSONObject? {
        guard let key = try options.text("key") else {
            for option in ["cert", "ca"] where try options.text(option) != nil {
                throw .badRequest("a certificate needs its key", hint: "add --key")
            }
            return nil
        }
        guard let certificate = try options.text("cert") else {
            throw .badRequest("a key needs its certificate", hint: "add --cert")
        }
        var members = JSONObject([
            ("key", .string(PEM.resolved(key, from: directory))),
            ("cert", .string(PEM.resolved(certificate, from: directory))),
        ])
        if let authorities = try options.text("ca") {
            members["ca"] = .string(PEM.resolved(authorities, from: directory))
        }
        return members
    }

    private static func local(_ name: String, _ isSecure: Bool, _ directory: String) throws(APIError) -> String {
        var file = name.hasPrefix("@") ? String(name.dropFirst()) : name
        if !name.hasPrefix("/") { file = file.split(separator: "/").joined(separator: "-") }
        if !file.hasSuffix(".sock") { file += ".sock" }
        let path = Paths.resolve(file, from: directory)
        guard path.utf8.count <= 107 else {
            throw .badRequest(
                "the socket path \(path) is longer than the 107 bytes of an address",
                hint: "--socket-name with a shorter absolute path")
        }
        return "jsonrpc+unix\(isSecure ? "+tls" : "")://" + Paths.percentEncoded(path)
    }

    private static func tcp(_ options: JSONObject, _ isSecure: Bool, _ directory: String) throws(APIError) -> String {
        guard let port = try options.text("tcpPort") else {
            throw .badRequest("tcp needs a port", hint: "--tcp-port PORT or HOST:PORT")
        }
        if !port.contains(":"), Int(port) == nil { return try local(port, isSecure, directory) }
        return "jsonrpc+tcp\(isSecure ? "+tls" : "")://" + (try address(port, "--tcp-port", options))
    }

    private static func web(_ scheme: String, _ options: JSONObject, _ isSecure: Bool) throws(APIError) -> String {
        "\(scheme)://" + (try address(try options.text("port") ?? (isSecure ? "443" : "80"), "--port", options))
    }

    /// `HOST:PORT`; a port alone is one of this machine only, because every client that connects may call everything.
    private static func address(_ text: String, _ option: String, _ options: JSONObject) throws(APIError) -> String {
        let colon = text.lastIndex(of: ":")
        let usual = bracketed(try options.text("host") ?? "127.0.0.1")
        let host = colon.map { String(text[..<$0]) } ?? usual
        let digits = colon.map { String(text[text.index(after: $0)...]) } ?? text
        guard let port = Int(digits), (1...65535).contains(port), !host.isEmpty else {
            throw .badRequest("\(option) must be PORT or HOST:PORT, not \(text)")
        }
        return "\(host):\(port)"
    }
}

extension ConnectionMap {
    /// The points of the daemon: its own socket, which it always has, then those that its gateway serves.
    ///
    /// - Parameters:
    ///   - socketURL: where the daemon listens itself.
    ///   - before: the points until now; what only the file can say of one that stays is kept.
    /// - Throws: a 400 that says which word, option or file is wrong, or that strangers could reach a point.
    public init(
        ofDaemon request: Connect, socketURL: String, before: [ConnectionPoint], in directory: String
    ) throws(APIError) {
        var wanted = request
        if wanted.transports.contains(Transport.tcp.rawValue), wanted.options["tcpPort"] == nil {
            wanted.options["tcpPort"] = .string("\(NetworkPoint.defaultPort)")
        }
        if wanted.transports.isEmpty, wanted.options["tcpPort"] == nil, wanted.options["port"] == nil {
            throw .badRequest("no transport is given for pm to listen with", hint: "pm connect pm local tcp ws http")
        }
        if wanted.options["socketName"] == nil { wanted.options["socketName"] = "pm-tls" }
        var points = [ConnectionPoint(url: socketURL)]
        for point in try ConnectionMap(for: "pm", wanted, in: directory).points {
            if point.url.hasPrefix("jsonrpc+unix://") {
                guard try request.options.text("socketName") == nil, wanted.transports.contains("local") else {
                    throw .badRequest(
                        "the daemon already listens at its own socket, \(socketURL)",
                        hint: "--key and --cert add another one, with TLS")
                }
                continue
            }
            points.append(try Self.completed(point, wanted.options, before, in: directory))
        }
        self.points = points
    }

    /// A point with the options that only the gateway knows.
    private static func completed(
        _ point: ConnectionPoint, _ options: JSONObject, _ before: [ConnectionPoint], in directory: String
    ) throws(APIError) -> ConnectionPoint {
        let scheme = point.url.firstRange(of: "://").map { String(point.url[..<$0.lowerBound]) } ?? ""
        guard let transport = NetworkPoint.Transport(rawValue: scheme) else { return point }
        var members = point.storedOptions
        if transport.isWeb, let file = try options.text("token") { members["token"] = .string(file) }
        if transport.isSecure, let file = try options.text("crl") { members["crl"] = .string(file) }
        for name in ["trust", "clients", "allow"] { members[name] = options[name] }
        if let old = before.first(where: { $0.url == point.url }) {
            let kept = old.storedOptions
            // What limits clients is not lost because a command line does not repeat it.
            for name in ["origins", "hosts", "tokens", "clients", "crl", "allow"] where members[name] == nil {
                members[name] = kept[name]
            }
        }
        let completed = ConnectionPoint(url: point.url, options: JSONValue.object(members).text)
        _ = try NetworkPoint(completed, in: directory)
        return completed
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }
}
