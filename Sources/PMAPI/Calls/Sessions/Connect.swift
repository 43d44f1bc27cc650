public import JSON
public import PMModel

/// `connect [name, context?]`: where a service can be reached.
public struct Connect: DaemonCall, Equatable {
    /// The service, or `pm` for the daemon.
    public var name: String
    /// Transports to set up (`local`, `tcp`, `http`, `ws`); none: only ask.
    public var transports: [String] = []
    /// Options of those transports (`tcpPort`, `port`, `host`, `key`, `cert`, `ca`, `socketName`, and `daemonOptionNames`).
    public var options = JSONObject()
    /// Base of relative paths in the options; nil: the folder of the configuration.
    public var cwd: String?

    /// The options that say that something is to be set up.
    static let optionNames = ["tcpPort", "port", "host", "key", "cert", "ca", "socketName"] + daemonOptionNames
    /// Those that only the daemon's points have.
    public static let daemonOptionNames = ["crl", "clients", "token", "allow", "trust"]

    /// True when the call stores connection points instead of asking for them.
    public var isSetUp: Bool { !transports.isEmpty || Self.optionNames.contains { options[$0] != nil } }

    /// Asks where a service can be reached.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.connect

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .connect, doc: "Returns or changes where clients can reach a service", usage: "connect <name> [...args]",
        sources: ["options.name", "context"],
        options: [
            .init("tcpPort", aliases: ["tcp-port"], value: true, doc: "port, or host and port, of TCP"),
            .init("port", value: true, doc: "port, or host and port, of HTTP and WebSocket"),
            .init("host", value: true, doc: "host of TCP, HTTP and WebSocket, 127.0.0.1 unless given"),
            .init("key", value: true, doc: "file of the TLS key"),
            .init("cert", value: true, doc: "file of the TLS certificate"),
            .init("ca", value: true, doc: "file of the authorities of client certificates"),
            .init("crl", value: true, doc: "for pm: file of the revoked client certificates"),
            .init(
                "clients", value: true,
                doc: "for pm: names or sha256: fingerprints of the only client certificates to accept"),
            .init("token", value: true, doc: "for pm: file of the token of HTTP and WebSocket clients"),
            .init("allow", value: true, doc: "for pm: services, commands and methods that clients may call"),
            .init("trust", value: true, doc: "for pm: network serves every client that can connect"),
            .init("socketName", aliases: ["socket-name"], value: true, doc: "name or path of the unix socket"),
        ])

    /// True when the call removes the connection points: the one word `none`.
    public var isRemoval: Bool { transports == ["none"] && options.isEmpty }

    /// Reads `[name, {args, options}]`; throws a 400 for a missing name or a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.text(0, "name"))
        let context = try parameters.object(1, named: "context")
        transports = try context.texts("args")
        // The reference's command line puts the words there.
        if transports.isEmpty, let options = context["options"]?.object { transports = try options.texts("args") }
        cwd = try context.text("currentWorkingDirectory")
        for (name, value) in context["options"]?.object ?? JSONObject() where Self.optionNames.contains(name) {
            if value != .null { options[name] = value }
        }
    }

    /// `[name, null]`, or `[name, {args, options}]` with transports.
    public var params: JSONValue {
        if !isSetUp { return [.string(name), .null] }
        var context: JSONObject = ["args": .array(transports.map { .string($0) }), "options": .object(options)]
        context["currentWorkingDirectory"] = cwd.map { .string($0) }
        return [.string(name), .object(context)]
    }

    /// URLs and their options, the preferred one first.
    public struct Answer: WireValue, Equatable {
        /// The connection points.
        public var points: [ConnectionPoint]

        /// Makes the answer of the daemon.
        public init(points: [ConnectionPoint]) { self.points = points }

        /// Reads `{url: options}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            guard let members = json.object else { throw APIError.malformedAnswer("an object was expected", json) }
            points = members.map { ConnectionPoint(url: $0.key, options: $0.value.text) }
        }

        /// `{url: options}`, of each point what may be shown; options that are no JSON are left empty.
        public var json: JSONValue {
            var members = JSONObject()
            for point in points { members[point.shownURL] = .object(point.shownOptions) }
            return .object(members)
        }
    }
}

// MARK: - What is shown

extension ConnectionPoint {
    /// Options that tell nothing that is to be kept secret. The others, unknown ones among them, are never shown.
    private static let shown: Set<String> = [
        "cert", "ca", "crl", "host", "port", "path", "servername", "rejectUnauthorized", "minVersion", "maxVersion",
        "ciphers", "origins", "hosts", "trust", "clients", "allow",
    ]

    /// The stored options; empty when they are not JSON.
    var storedOptions: JSONObject {
        // What is no JSON has no members that anybody could use.
        (try? JSONValue(parsing: options))?.object ?? JSONObject()
    }

    /// The options without keys, tokens, passphrases and other members that could be secret.
    public var shownOptions: JSONObject {
        JSONObject(
            storedOptions.filter { name, value in
                switch name {
                // A key is PEM text, or the path of a file that holds it.
                case "key": Self.isPath(value)
                // A token could be any text: only an absolute path is surely none.
                case "token": Self.isPath(value) && value.string?.hasPrefix("/") == true
                default: Self.shown.contains(name) && !Self.holdsKey(value)
                }
            })
    }

    /// The URL without a user name and a password.
    public var shownURL: String {
        guard let scheme = url.firstRange(of: "://"), !url.hasPrefix("jsonrpc+unix") else { return url }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return String(url[..<scheme.upperBound]) + String(rest[rest.index(after: at)...])
    }

    private static func isPath(_ value: JSONValue) -> Bool {
        guard let text = value.string else { return false }
        return !text.contains("-----") && text.utf8.count < 4096 && text.utf8.allSatisfy { $0 >= 0x20 }
    }

    /// A file of certificates may have the key in it.
    private static func holdsKey(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.contains("PRIVATE KEY")
        case .array(let list): list.contains { holdsKey($0) }
        case .object(let members): members.contains { holdsKey($0.value) }
        case .null, .bool, .number: false
        }
    }
}
