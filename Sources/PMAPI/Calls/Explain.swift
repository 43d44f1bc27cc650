public import JSON
import PMModel

/// `explain [name]`: what would run as a service if it were started now, and what decided each part.
public struct Explain: DaemonCall, Equatable {
    /// Name of the service.
    public var name: String

    /// Asks about a service.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.explain
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .explain, doc: "Returns what would run as a service, and what decided each part", usage: "explain <name>",
        sources: ["options.name"])

    /// Reads `[name]`; throws a 400 for a missing name.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.text(0, "name"))
    }

    /// Parameters on the wire: `[name]`.
    public var params: JSONValue { [.string(name)] }

    /// One part of what would run.
    public struct Part: WireValue, Equatable {
        /// Origin of the part.
        public enum Origin: Equatable, Sendable {
            /// This key of the configuration, or its default where the file does not have it.
            case key([String])
            /// The environment of the daemon.
            case daemon
            /// The environment file at this path.
            case file(String)
            /// pm itself, from other parts.
            case pm
        }

        /// Name of the part: `program`, `env.PORT`, `limits.memory`.
        public var name: String
        /// Value of the part; a secret is masked.
        public var value: JSONValue
        /// Origin of the part.
        public var origin: Origin

        /// Names a part.
        public init(_ name: String, _ value: JSONValue, _ origin: Origin) {
            (self.name, self.value, self.origin) = (name, value, origin)
        }

        /// Reads `{name, value, key? | file? | from?}`; throws a 502 for anything without a name.
        public init(json: JSONValue) throws(APIError) {
            guard let name = json["name"]?.string else {
                throw APIError.malformedAnswer("a part of an explanation was expected", json)
            }
            let origin: Origin =
                if let keys = json["key"]?.array {
                    .key(keys.compactMap(\.string))
                } else if let file = json["file"]?.string {
                    .file(file)
                } else {
                    json["from"]?.string == "daemon" ? .daemon : .pm
                }
            self.init(name, json["value"] ?? .null, origin)
        }

        /// `{name, value, key? | file? | from?}`.
        public var json: JSONValue {
            var members: JSONObject = ["name": .string(name), "value": value]
            switch origin {
            case .key(let keys): members["key"] = keys.json
            case .file(let path): members["file"] = .string(path)
            case .daemon: members["from"] = "daemon"
            case .pm: members["from"] = "pm"
            }
            return .object(members)
        }
    }

    /// The parts, in the order in which they are shown.
    public struct Answer: WireValue, Equatable {
        /// Full name of the service.
        public var name: String
        /// The configuration file.
        public var file: String
        /// The parts.
        public var parts: [Part]
        /// Why it cannot be started as it is, in words; nil: nothing is against it.
        public var problem: String?

        /// Makes the answer of the daemon.
        public init(name: String, file: String, parts: [Part], problem: String?) {
            (self.name, self.file, self.parts, self.problem) = (name, file, parts, problem)
        }

        /// Reads `{name, file, parts, problem?}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            guard let name = json["name"]?.string, let file = json["file"]?.string else {
                throw APIError.malformedAnswer("an explanation was expected", json)
            }
            self.init(name: name, file: file, parts: try [Part](json: json["parts"] ?? .null), problem: nil)
            problem = json["problem"]?.string
        }

        /// JSON on the wire: `{name, file, parts, problem?}`.
        public var json: JSONValue {
            var members: JSONObject = ["name": .string(name), "file": .string(file), "parts": parts.json]
            if let problem { members["problem"] = .string(problem) }
            return .object(members)
        }
    }
}
