public import JSON
public import PMModel

/// `ls []`: the registered definitions.
public struct List: DaemonCall, Equatable {
    /// Asks for all definitions.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.list
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .list, doc: "Lists the registered definitions", usage: "ls", sources: [])

    /// Takes whatever is sent.
    public init(_ parameters: Parameters) {}

    /// Parameters on the wire: `[]`.
    public var params: JSONValue { [] }

    /// The `containers` object of the configuration.
    public struct Answer: WireValue, Equatable {
        /// One definition and the name it is registered under.
        public struct Entry: Equatable, Sendable {
            /// The name.
            public var name: String
            /// The definition that the name stands for.
            public var definition: ContainerDefinition

            /// Makes an entry.
            public init(name: String, definition: ContainerDefinition) {
                self.name = name
                self.definition = definition
            }
        }

        /// The definitions in the order of the configuration.
        public var entries: [Entry]

        /// Makes the answer of the daemon.
        public init(entries: [Entry]) { self.entries = entries }

        /// Reads the object; throws a 502 when it is none.
        public init(json: JSONValue) throws(APIError) {
            guard let members = json.object else { throw APIError.malformedAnswer("an object was expected", json) }
            entries = members.map { Entry(name: $0.key, definition: ContainerDefinition(wire: $0.value)) }
        }

        /// JSON on the wire: `{name: {type, path, commandable, stateless, dependencies?, host?}}`.
        public var json: JSONValue {
            var members = JSONObject()
            for entry in entries { members[entry.name] = entry.definition.wire }
            return .object(members)
        }
    }
}

extension ContainerDefinition {
    fileprivate init(wire json: JSONValue) {
        self.init(
            path: json["path"]?.string ?? "", runtime: json["type"]?.string.flatMap(RuntimeKind.init) ?? .nodejs,
            isCommandable: json["commandable"]?.bool ?? false, isStateless: json["stateless"]?.bool ?? false,
            dependencies: (json["dependencies"]?.array ?? []).compactMap(\.string))
        host = json["host"]?.string.flatMap(ServiceHost.init) ?? .pm
    }

    fileprivate var wire: JSONValue {
        var members = JSONObject()
        members["type"] = .string(runtime.rawValue)
        members["path"] = .string(path)
        members["commandable"] = .bool(isCommandable)
        members["stateless"] = .bool(isStateless)
        if !dependencies.isEmpty { members["dependencies"] = .array(dependencies.map { .string($0) }) }
        if host != .pm { members["host"] = .string(host.rawValue) }
        return .object(members)
    }
}
