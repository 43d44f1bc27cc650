public import JSON

/// `session [{point, token, certificate, client, server}]`: from now on this connection does what a client of a connection point
/// asks for, and may do no more than the client: what the client has shown decides.
///
/// For pm-gateway, which asks for one session per client. On a connection to the daemon's gate nothing else is possible before.
public struct ClientSession: DaemonCall, Equatable {
    /// The connection point, as `NetworkPoint.word` writes it. On the gate its URL counts, and the configuration says the rest.
    public var point: String
    /// The token that the client sent.
    public var token: String?
    /// The certificate that the client has shown, and that an authority of the point has issued.
    public var certificate: ClientCertificate?
    /// The client's end of its TCP connection, `127.0.0.1:40000` or `[::1]:40000`.
    public var client: String?
    /// The other end, at which the gateway has accepted the connection.
    public var server: String?

    /// The parts of a client's certificate that decide about its rights.
    public struct ClientCertificate: Equatable, Sendable {
        /// SHA-256 of its DER form, 64 lower-case hexadecimal digits.
        public var fingerprint: String
        /// The common name of its subject, and the names of its subjectAltName that are texts: DNS, URI, e-mail.
        public var names: [String]

        /// Makes a description.
        public init(fingerprint: String, names: [String]) {
            self.fingerprint = fingerprint
            self.names = names
        }
    }

    /// Asks for a session of a client who has shown nothing.
    public init(point: String) { self.point = point }

    /// The method's name on the wire.
    public static let method = Method.clientSession

    /// Not for people: it has no command line.
    public static let description = CommandDescription(
        .clientSession, doc: "Limits this connection to the rights of a client of a connection point", usage: nil,
        sources: [])

    /// Reads `[{…}]`; throws a 400 for a missing point or a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        let members = try parameters.object(0, named: "session")
        guard let point = try members.text("point") else { throw .badRequest("point is missing") }
        self.point = point
        token = members["token"]?.string
        client = try members.text("client")
        server = try members.text("server")
        if let shown = members["certificate"]?.object {
            certificate = ClientCertificate(
                fingerprint: try shown.text("fingerprint") ?? "", names: try shown.texts("names"))
        }
    }

    /// Parameters on the wire: `[{…}]`.
    public var params: JSONValue {
        var members: JSONObject = ["point": .string(point)]
        members["token"] = token.map { .string($0) }
        members["client"] = client.map { .string($0) }
        members["server"] = server.map { .string($0) }
        members["certificate"] = certificate.map {
            ["fingerprint": .string($0.fingerprint), "names": .array($0.names.map { .string($0) })]
        }
        return [.object(members)]
    }

    /// The rights of the client.
    public struct Answer: WireValue, Hashable {
        /// The patterns of what it may call; nil: everything that its point is for.
        public var allow: [String]?

        /// Makes the answer of the daemon.
        public init(allow: [String]?) { self.allow = allow }

        /// Reads `{allow}`; throws a 502 for anything but an object.
        public init(json: JSONValue) throws(APIError) {
            guard let members = json.object else { throw APIError.malformedAnswer("an object was expected", json) }
            allow = members["allow"]?.array?.compactMap(\.string)
        }

        /// JSON on the wire: `{allow: null}`, or `{allow: [PATTERN…]}`.
        public var json: JSONValue {
            ["allow": allow.map { .array($0.map { .string($0) }) } ?? .null]
        }
    }
}
