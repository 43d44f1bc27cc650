public import JSON
public import PMModel

/// `connect [name, context?]`: where a service can be reached.
public struct Connect: DaemonCall, Equatable {
    /// The service, or `pm` for the daemon.
    public var name: String
    /// Transports to set up (`local`, `tcp`, `http`, `ws`); none: only ask.
    public var transports: [String] = []
    /// Options of those transports (`tcpPort`, `port`, `host`, `key`, `cert`, `ca`, `token`, `socketName`).
    public var options = JSONObject()
    /// Where relative paths in the options start; nil: in the folder of the configuration.
    public var cwd: String?

    /// The options that say that something is to be set up.
    static let optionNames = ["tcpPort", "port", "host", "key", "cert", "ca", "token", "socketName"]

    /// Whether connection points are to be stored.
    public var isSetUp: Bool { !transports.isEmpty || Self.optionNames.contains { options[$0] != nil } }

    /// Asks where a service can be reached.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.connect

    /// What is on the command line.
    public static let description = CommandDescription(
        .connect, doc: "Tells where a service can be reached, or sets it up", usage: "connect <name> [...args]",
        sources: ["options.name", "context"],
        options: [
            .init("tcpPort", aliases: ["tcp-port"], value: true, doc: "port, or host and port, of TCP"),
            .init("port", value: true, doc: "port, or host and port, of HTTP and WebSocket"),
            .init("host", value: true, doc: "host of TCP, HTTP and WebSocket, 127.0.0.1 unless given"),
            .init("key", value: true, doc: "file of the TLS key"),
            .init("cert", value: true, doc: "file of the TLS certificate"),
            .init("ca", value: true, doc: "file of the authorities of client certificates"),
            .init("token", value: true, doc: "for pm: file of the token of HTTP and WebSocket clients"),
            .init("socketName", aliases: ["socket-name"], value: true, doc: "name or path of the unix socket"),
        ])

    /// Reads `[name, {args, options}]`; throws a 400 for a missing name or a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.text(0, "name"))
        let context = try parameters.object(1, named: "context")
        transports = try context.texts("args")
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

        /// Makes an answer.
        public init(points: [ConnectionPoint]) { self.points = points }

        /// Reads `{url: options}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            guard let members = json.object else { throw APIError.malformedAnswer("an object was expected", json) }
            points = members.map { ConnectionPoint(url: $0.key, options: $0.value.text) }
        }

        /// `{url: options}`; options that are no JSON are left empty.
        public var json: JSONValue {
            var members = JSONObject()
            for point in points {
                do throws(JSONError) {
                    members[point.url] = try JSONValue(parsing: point.options)
                } catch {
                    members[point.url] = [:]
                }
            }
            return .object(members)
        }
    }
}
