public import JSON

/// `discover [path, name|null, cwd]`: registers what the package at a path offers.
public struct Discover: DaemonCall, Equatable {
    /// The package's directory; may be relative to `cwd`.
    public var path: String
    /// The name to register; nil: what the package says.
    public var name: String?
    /// The caller's working directory; nil: the daemon's.
    public var cwd: String?

    /// Registers what a package offers.
    public init(path: String, name: String? = nil, cwd: String? = nil) {
        self.path = path
        self.name = name
        self.cwd = cwd
    }

    /// The method's name on the wire.
    public static let method = Method.discover

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .discover, doc: "Registers the services that a package offers", usage: "discover <path> [name]",
        sources: ["options.path", "options.name", "context.currentWorkingDirectory"])

    /// Reads `[path, name|null, cwd]`; no path means the working directory. Throws a 400 for a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(
            path: try parameters.optionalText(0, "path") ?? ".", name: try parameters.optionalText(1, "name"),
            cwd: try parameters.optionalText(2, "cwd"))
    }

    /// Parameters on the wire: `[path, name|null, cwd|null]`.
    public var params: JSONValue {
        [.string(path), name.map { .string($0) } ?? .null, cwd.map { .string($0) } ?? .null]
    }

    /// The registered names.
    public struct Answer: WireValue, Equatable {
        /// The names, in the package's order.
        public var names: [String]

        /// Makes the answer of the daemon.
        public init(names: [String]) { self.names = names }

        /// Reads one name or a list of names.
        public init(json: JSONValue) throws(APIError) {
            if let name = json.string {
                names = [name]
            } else {
                names = try [String](json: json)
            }
        }

        /// One name as a string, several as a list.
        public var json: JSONValue {
            names.count == 1 ? .string(names[0]) : .array(names.map { .string($0) })
        }
    }
}
