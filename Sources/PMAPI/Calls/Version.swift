public import JSON

/// `version []`: who answers.
public struct Version: DaemonCall, Equatable {
    /// The version of this build.
    public static let current = "0.1.0"
    /// The version of the protocol: clients and daemons with the same one understand each other.
    public static let protocolVersion = 1

    /// Asks for the daemon's version.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.version
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .version, doc: "Returns the version, process and configuration of the daemon", usage: "version", sources: [])

    /// Takes whatever is sent.
    public init(_ parameters: Parameters) {}

    /// Parameters on the wire: `[]`.
    public var params: JSONValue { [] }

    /// The daemon that answers.
    public struct Answer: WireValue, Equatable {
        /// The daemon's version.
        public var version: String
        /// The protocol's version.
        public var protocolVersion: Int
        /// The daemon's process id.
        public var pid: Int32
        /// The configuration file.
        public var config: String
        /// `project`, `user` or `system`.
        public var scope: String
        /// The socket it serves.
        public var socket: String
        /// The profile of the configuration that it uses; nil: none.
        public var profile: String?

        /// Describes a daemon of this build.
        public init(pid: Int32, config: String, scope: String, socket: String) {
            version = Version.current
            protocolVersion = Version.protocolVersion
            self.pid = pid
            self.config = config
            self.scope = scope
            self.socket = socket
        }

        /// Reads an answer; throws a 502 when it has no version.
        public init(json: JSONValue) throws(APIError) {
            guard let text = json["version"]?.string else {
                throw APIError.malformedAnswer("a version was expected", json)
            }
            version = text
            protocolVersion = json["protocol"]?.int ?? 0
            pid = Int32(clamping: json["pid"]?.int ?? 0)
            config = json["config"]?.string ?? ""
            scope = json["scope"]?.string ?? ""
            socket = json["socket"]?.string ?? ""
            profile = json["profile"]?.string
        }

        /// JSON on the wire: `{version, protocol, pid, config, scope, socket}`, and `profile` if there is one.
        public var json: JSONValue {
            var members: JSONObject = [
                "version": .string(version), "protocol": .number(JSONNumber(protocolVersion)),
                "pid": .number(JSONNumber(Int(pid))), "config": .string(config), "scope": .string(scope),
                "socket": .string(socket),
            ]
            members["profile"] = profile.map(JSONValue.string)
            return .object(members)
        }
    }
}
