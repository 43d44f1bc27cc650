import JSON
public import PMModel

/// A connection point of the daemon that pm-gateway serves: its URL and its options, understood and checked.
///
/// The same rules hold when a point is stored (`pm connect`), when the daemon starts the gateway, and in the gateway.
public struct NetworkPoint: Equatable, Sendable {
    /// The protocol of a point.
    public enum Transport: String, Sendable, CaseIterable {
        /// JSON-RPC, a message a line, over TCP.
        case tcp = "jsonrpc+tcp"
        /// The same within TLS.
        case tcpTLS = "jsonrpc+tcp+tls"
        /// The same within TLS, over a unix socket.
        case unixTLS = "jsonrpc+unix+tls"
        /// WebSocket.
        case ws
        /// WebSocket within TLS.
        case wss
        /// HTTP.
        case http
        /// HTTP within TLS.
        case https
    }

    /// The address of a point.
    public enum Endpoint: Hashable, Sendable {
        /// An address or a host name, and a port.
        case host(String, port: UInt16)
        /// The absolute path of a unix socket.
        case path(String)
    }

    /// Files of its TLS side.
    public struct Secrets: Hashable, Sendable {
        /// The private key, PEM.
        public let key: String
        /// The certificate and those that lead to its authority, PEM.
        public let certificate: String
        /// The authorities of client certificates, PEM; nil: clients are not asked for one.
        public let authorities: String?
        /// The certificates that the authorities have revoked, PEM; nil: none.
        public let revocations: String?
    }

    /// The authentication that a point asks for.
    public enum Proof: Equatable, Sendable {
        /// A certificate of the point's authorities, a token, or either where there are both.
        case secret
        /// The client's socket belongs to root or to the daemon's user; only on loopback can this be known.
        case localUser
        /// The mode of the socket's file decides who connects.
        case socketFile
        /// None: every client that can connect is trusted, as the configuration demands (`"trust": "network"`).
        case none
    }

    /// The port of JSON-RPC over TCP where none is given.
    public static let defaultPort: UInt16 = 31416

    /// The URL as it was written.
    public let url: String
    /// The protocol of the point.
    public let transport: Transport
    /// The address of the point.
    public let place: Endpoint
    /// Key and certificates; there exactly when the transport is within TLS.
    public let secrets: Secrets?
    /// The files that hold tokens of HTTP and WebSocket clients; none: no token is asked for.
    public let tokens: [TokenFile]
    /// The client certificates that are good; none: every one that an authority has issued.
    public let clients: [Client]
    /// Commands that clients without an entry of their own may call; nil: everything.
    public let allow: AllowList?
    /// Origins of pages that may use it, besides those of the same host.
    public let origins: [String]
    /// Names under which HTTP and WebSocket clients may address it, besides the usual ones of this machine.
    public let hosts: [String]
    /// True when every client that can connect is trusted (`"trust": "network"`).
    private let trustsNetwork: Bool

    /// The authentication that clients need.
    public var proof: Proof {
        if secrets?.authorities != nil || !tokens.isEmpty { return .secret }
        if trustsNetwork { return .none }
        switch place {
        case .host: return .localUser
        case .path: return .socketFile
        }
    }

    /// True when the gateway serves URLs of this kind.
    public static func isOne(_ url: String) -> Bool { scheme(of: url).flatMap(Transport.init) != nil }

    /// Understands a point of a configuration; relative paths start in `directory`.
    ///
    /// - Throws: a 400 that says what is wrong with the URL, an option, or with who could reach it.
    public init(_ point: ConnectionPoint, in directory: String) throws(APIError) {
        let options: JSONObject
        do throws(JSONError) {
            options = try JSONValue(parsing: point.options).object ?? JSONObject()
        } catch {
            throw .badRequest("the options of \(point.url) are not JSON: \(error)")
        }
        guard let scheme = Self.scheme(of: point.url), let transport = Transport(rawValue: scheme) else {
            let known = Transport.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("\(point.url) is not an address to listen at", hint: "possible are \(known)")
        }
        try Self.refuseEmpty(options, point.url)
        url = point.url
        self.transport = transport
        place = try Self.place(transport, point.url)
        secrets = try Self.secrets(options, transport, url, in: directory)
        tokens = try Self.tokens(options, url, in: directory)
        clients = try Self.clients(options, url)
        allow = try Self.allow(options, of: url)
        origins = try options.texts("origins")
        hosts = try options.texts("hosts").map { $0.lowercased() }
        trustsNetwork = try Self.trust(options, point.url)
        try refuseUnknown(options)
        try refuseExposure()
    }

    /// The options that a point may have.
    public static let optionNames = [
        "key", "cert", "ca", "crl", "clients", "token", "tokens", "allow", "origins", "hosts", "trust",
    ]
    /// Those that may be given several times in a word.
    static let listNames: Set<String> = ["clients", "tokens", "allow", "origins", "hosts"]

    /// The point with all its options as one word of a command line: `URL,key=/a/key.pem,…`.
    public var word: String {
        var options: [(String, String)] = []
        if let secrets { options += [("key", secrets.key), ("cert", secrets.certificate)] }
        if let authorities = secrets?.authorities { options.append(("ca", authorities)) }
        if let revocations = secrets?.revocations { options.append(("crl", revocations)) }
        options += tokens.map { ("tokens", $0.word) } + clients.map { ("clients", $0.word) }
        options += (allow?.patterns ?? []).map { ("allow", $0) }
        if trustsNetwork { options.append(("trust", "network")) }
        options += origins.map { ("origins", $0) } + hosts.map { ("hosts", $0) }
        return ([url] + options.map { "\($0.0)=\(Self.escaped($0.1))" }).joined(separator: ",")
    }

    /// Reads such a word.
    ///
    /// - Throws: a 400 that says what is wrong with it.
    public init(word: String, in directory: String) throws(APIError) {
        let parts = word.split(separator: ",", omittingEmptySubsequences: false)
        var options = JSONObject()
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "="), part.startIndex < equals,
                let value = Paths.percentDecoded(Array(part[part.index(after: equals)...].utf8))
            else {
                throw .badRequest(
                    "\"\(part)\" of --listen is not OPTION=VALUE", hint: "write a comma in a value as %2C")
            }
            let name = String(part[..<equals])
            if Self.listNames.contains(name) {
                // An entry that is more than a text is written as JSON; what is no JSON is a text.
                let entry = value.hasPrefix("{") ? try? JSONValue(parsing: value) : nil
                options[name] = .array((options[name]?.array ?? []) + [entry ?? .string(value)])
            } else {
                options[name] = .string(value)
            }
        }
        try self.init(
            ConnectionPoint(url: String(parts.first ?? ""), options: JSONValue.object(options).text), in: directory)
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("%", with: "%25").replacing(",", with: "%2C")
    }

    private static func scheme(of url: String) -> String? {
        url.firstRange(of: "://").map { String(url[..<$0.lowerBound]) }
    }
}

extension NetworkPoint.Transport {
    /// True when the point uses TLS.
    public var isSecure: Bool {
        switch self {
        case .tcpTLS, .unixTLS, .wss, .https: true
        case .tcp, .ws, .http: false
        }
    }

    /// True when connections begin with an HTTP request, which may carry a token and names the page that it comes from.
    public var isWeb: Bool {
        switch self {
        case .ws, .wss, .http, .https: true
        case .tcp, .tcpTLS, .unixTLS: false
        }
    }

    fileprivate var usualPort: UInt16 {
        switch self {
        case .tcp, .tcpTLS, .unixTLS: NetworkPoint.defaultPort
        case .ws, .http: 80
        case .wss, .https: 443
        }
    }
}

// MARK: reading

extension NetworkPoint {
    private static func place(_ transport: Transport, _ url: String) throws(APIError) -> Endpoint {
        let rest = String(url.dropFirst(transport.rawValue.count + 3))
        guard transport != .unixTLS else {
            guard rest.hasPrefix("/"), let path = Paths.percentDecoded(Array(rest.utf8)), path.utf8.count <= 107 else {
                throw .badRequest("\(url) names no socket: an absolute path of at most 107 bytes is needed")
            }
            return .path(path)
        }
        let authority = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
        let (host, digits) = split(authority)
        guard !host.isEmpty, !host.contains(where: { "/?#@ ".contains($0) }) else {
            throw .badRequest(
                "\(url) has no host", hint: "to serve only this machine: \(transport.rawValue)://127.0.0.1")
        }
        guard let digits else { return .host(host, port: transport.usualPort) }
        guard let port = UInt16(digits), port > 0, digits.allSatisfy(\.isASCII) else {
            throw .badRequest("\(url) has no port from 1 to 65535")
        }
        return .host(host, port: port)
    }

    /// `host:port`, `host`, `[address]:port` or `[address]`, the brackets taken off.
    private static func split(_ authority: String) -> (host: String, port: String?) {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            let host = String(authority[authority.index(after: authority.startIndex)..<end])
            let rest = authority[authority.index(after: end)...]
            return rest.isEmpty ? (host, nil) : (host, rest.hasPrefix(":") ? String(rest.dropFirst()) : "")
        }
        guard let colon = authority.lastIndex(of: ":") else { return (authority, nil) }
        return (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
    }

    private static func secrets(
        _ options: JSONObject, _ transport: Transport, _ url: String, in directory: String
    ) throws(APIError) -> Secrets? {
        let key = try options.text("key")
        let certificate = try options.text("cert")
        let authorities = try options.text("ca")
        guard transport.isSecure else {
            guard key == nil, certificate == nil, authorities == nil, options["crl"] == nil else {
                throw .badRequest(
                    "\(url) has options for TLS, but does not use TLS",
                    hint: "\(transport.rawValue)+tls, wss and https use TLS")
            }
            return nil
        }
        guard let key, let certificate else {
            throw .badRequest("\(url) needs a key and a certificate", hint: "pm connect pm … --key FILE --cert FILE")
        }
        for text in [key, certificate, authorities ?? ""] where PEM.isText(text) {
            throw .badRequest(
                "\(url) has PEM text as the value of an option", hint: "give the path of a file with this text")
        }
        return Secrets(
            key: Paths.resolve(key, from: directory), certificate: Paths.resolve(certificate, from: directory),
            authorities: authorities.map { Paths.resolve($0, from: directory) },
            revocations: try options.text("crl").map { Paths.resolve($0, from: directory) })
    }

    private static func trust(_ options: JSONObject, _ url: String) throws(APIError) -> Bool {
        switch try options.text("trust") {
        case nil: return false
        case "network": return true
        case let other?:
            throw .badRequest(
                "\(url) has \"trust\": \"\(other)\"",
                hint: "\"network\" is the only value: every client that can connect may then do everything that pm does"
            )
        }
    }

    /// An option without a value would be as none at all: nobody is meant, and everybody would be let in.
    private static func refuseEmpty(_ options: JSONObject, _ url: String) throws(APIError) {
        for (name, value) in options where value == .string("") || value == .array([]) {
            throw .badRequest("\"\(name)\" of \(url) is empty", hint: "give it a value, or leave it out")
        }
    }

    private func refuseUnknown(_ options: JSONObject) throws(APIError) {
        for (name, _) in options where !Self.optionNames.contains(name) {
            let known = Self.optionNames.joined(separator: ", ")
            throw .badRequest("\(url) has an unknown option \"\(name)\"", hint: "the options are \(known)")
        }
        guard secrets?.authorities != nil || (clients.isEmpty && secrets?.revocations == nil) else {
            throw .badRequest(
                "\(url) has \"clients\" or \"crl\", but does not ask clients for a certificate",
                hint: "add the authorities (--ca FILE)")
        }
        guard !transport.isWeb else { return }
        if !tokens.isEmpty {
            throw .badRequest(
                "\(url) cannot ask for a token: a plain JSON-RPC connection has no field for one",
                hint: "use client certificates (--ca), or ws, wss, http or https")
        }
        if !origins.isEmpty || !hosts.isEmpty {
            throw .badRequest("\(url) has \"origins\" or \"hosts\", which are for ws, wss, http and https")
        }
    }

    /// A client of a point may do all that the daemon does. On loopback the kernel tells which user connects; for
    /// the rest of the world there must be a proof.
    private func refuseExposure() throws(APIError) {
        guard case .host(let host, _) = place, !Self.isLoopback(host), proof == .localUser else { return }
        let ways =
            transport.isWeb
            ? "client certificates (--key, --cert, --ca) or a token (--token FILE)"
            : "client certificates (--key, --cert, --ca)"
        throw .badRequest(
            "other machines could connect to \(url), and every client that connects may do everything that pm does",
            hint: "use 127.0.0.1, or ask for \(ways); \"trust\": \"network\" serves every client")
    }

    /// True when a host can be reached only from this machine. A name other than `localhost` counts as reachable,
    /// because a look-up could give any address.
    public static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
