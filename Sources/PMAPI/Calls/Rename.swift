public import JSON

/// `rename [name, to]`: gives a service another name; its processes, its log and its history go on under it.
public struct Rename: DaemonCall, Equatable {
    /// Name of the service.
    public var name: String
    /// The name that it gets.
    public var newName: String

    /// Renames a service.
    public init(name: String, to newName: String) { (self.name, self.newName) = (name, newName) }

    /// The method's name on the wire.
    public static let method = Method.rename

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .rename, doc: "Gives a service another name; its processes, its log and its history go on",
        usage: "rename <name> <to>", sources: ["options.name", "options.to"])

    /// Reads `[name, to]`; throws a 400 for a missing name.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.text(0, "name"), to: try parameters.text(1, "to"))
    }

    /// Parameters on the wire: `[name, to]`.
    public var params: JSONValue { [.string(name), .string(newName)] }

    /// What has another name now.
    public struct Answer: WireValue, Equatable {
        /// The new name.
        public var name: String
        /// The name before.
        public var former: String
        /// Processes that go on, by the new names of their instances.
        public var running: [String]
        /// The daemon that answers; its successor, which has another process id, has the new name.
        public var daemon: Int32

        /// Makes the answer of the daemon.
        public init(name: String, former: String, running: [String], daemon: Int32) {
            (self.name, self.former, self.running, self.daemon) = (name, former, running, daemon)
        }

        /// Reads `{name, former, running, daemon}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            name = try String(json: json["name"] ?? .null)
            former = try String(json: json["former"] ?? .null)
            running = try [String](json: json["running"] ?? .null)
            guard let daemon = json["daemon"]?.int.flatMap({ Int32(exactly: $0) }) else {
                throw APIError.malformedAnswer("the process id of the daemon was expected", json)
            }
            self.daemon = daemon
        }

        /// JSON on the wire: `{name, former, running, daemon}`.
        public var json: JSONValue {
            [
                "name": .string(name), "former": .string(former), "running": running.json,
                "daemon": JSONValue(Int(daemon)),
            ]
        }
    }
}
