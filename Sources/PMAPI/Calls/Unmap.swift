public import JSON

/// `unmap [name]`: removes a mapping, and the definition of the same name unless something else uses it.
public struct Unmap: DaemonCall, Equatable {
    /// Name of the service.
    public var name: String

    /// Removes a service from the configuration.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.unmap

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .unmap, doc: "Removes a service that does not run from the configuration", usage: "unmap <name>",
        sources: ["options.name"])

    /// Reads `[name]`; throws a 400 for a missing name.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.text(0, "name"))
    }

    /// Parameters on the wire: `[name]`.
    public var params: JSONValue { [.string(name)] }

    /// The removed parts of the configuration.
    public struct Answer: WireValue, Equatable {
        /// A part of the configuration.
        public enum Part: String, Sendable, CaseIterable {
            /// The entry of `mapping`.
            case mapping
            /// The entry of `containers`.
            case container
        }

        /// The parts that were removed.
        public var removed: [Part]
        /// The service that uses the definition, which is kept for it; nil when nothing does.
        public var user: String?

        /// Makes the answer of the daemon.
        public init(removed: [Part], user: String? = nil) {
            self.removed = removed
            self.user = user
        }

        /// Reads `{removed, usedBy?}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            removed = try [String](json: json["removed"] ?? .null).compactMap(Part.init)
            user = json["usedBy"]?.string
        }

        /// JSON on the wire: `{removed, usedBy?}`.
        public var json: JSONValue {
            var members: JSONObject = ["removed": removed.map(\.rawValue).json]
            if let user { members["usedBy"] = .string(user) }
            return .object(members)
        }
    }
}
