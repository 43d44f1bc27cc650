public import JSON
import PMModel

/// `scale [name, instances]`: how many instances of a stateless service run, now and from now on.
public struct Scale: DaemonCall, Equatable {
    /// Name of the service.
    public var name: String
    /// The wanted number of instances.
    public var instances: Int

    /// Asks for a number of instances.
    public init(name: String, instances: Int) {
        self.name = name
        self.instances = instances
    }

    /// The method's name on the wire.
    public static let method = Method.scale

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .scale, doc: "Changes the number of instances of a stateless service", usage: "scale <name> <instances>",
        sources: ["options.name", "options.instances"])

    /// Reads `[name, instances]`; throws a 400 for an invalid number.
    public init(_ parameters: Parameters) throws(APIError) {
        let name = try parameters.text(0, "name")
        let text = try parameters.text(1, "instances")
        guard let instances = Int(text), (1...Mapping.mostInstances).contains(instances) else {
            throw .badRequest("instances must be a whole number from 1 to \(Mapping.mostInstances), not \(text)")
        }
        self.init(name: name, instances: instances)
    }

    /// Parameters on the wire: `[name, instances]`.
    public var params: JSONValue { [.string(name), JSONValue(instances)] }

    /// The instances that were started and stopped for it.
    public struct Answer: WireValue, Equatable {
        /// Instances that were started.
        public var started: [String]
        /// Instances that were stopped.
        public var stopped: [String]

        /// Makes the answer of the daemon.
        public init(started: [String], stopped: [String]) {
            self.started = started
            self.stopped = stopped
        }

        /// Reads `{started, stopped}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            started = try [String](json: json["started"] ?? .null)
            stopped = try [String](json: json["stopped"] ?? .null)
        }

        /// JSON on the wire: `{started, stopped}`.
        public var json: JSONValue { ["started": started.json, "stopped": stopped.json] }
    }
}
