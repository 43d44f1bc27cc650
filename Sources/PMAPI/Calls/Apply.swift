public import JSON
import PMModel

/// `apply [names, {plan?}]`: lets services that run follow the configuration, and touches no others.
public struct Apply: DaemonCall, Equatable {
    /// The services; empty: all.
    public var names: [String]
    /// True: nothing is done; the answer says what would be.
    public var isPlan: Bool

    /// The most names in one call.
    public static let mostNames = 10_000

    /// Asks for some services or, without names, for all.
    public init(names: [String] = [], isPlan: Bool = false) {
        (self.names, self.isPlan) = (names, isPlan)
    }

    /// The method's name on the wire.
    public static let method = Method.apply

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .apply, doc: "Lets services that run follow the configuration, and touches no others",
        usage: "apply [...names]",
        sources: ["options.names", "options"],
        options: [.init("plan", doc: "change nothing, and return what would be done")])

    /// Reads `[names|null, options]`; one name may stand for a list.
    public init(_ parameters: Parameters) throws(APIError) {
        var list = JSONObject()
        list["names"] = parameters[0]
        let names = try list.texts("names")
        guard names.count <= Self.mostNames else {
            throw .badRequest(
                "one call applies at most \(Self.mostNames) services", hint: "without names it applies all")
        }
        self.init(names: names, isPlan: try parameters.object(1, named: "options").flag("plan"))
    }

    /// Parameters on the wire: `[names|null, {plan?}]`.
    public var params: JSONValue {
        [names.isEmpty ? .null : names.json, isPlan ? ["plan": true] : [:]]
    }

    /// One service, and what was or would be done with it.
    public struct Step: WireValue, Equatable {
        /// Progress of a step.
        public enum State: String, Sendable, CaseIterable {
            /// Nothing was done, as asked.
            case planned
            /// The service runs with the configuration, or is gone.
            case done
            /// The service does not: `error` says why.
            case failed
            /// The service was left as it was, because of another one that failed.
            case skipped
        }

        /// Name of the service.
        public var name: String
        /// `live`, `reload`, `restart`, `start` or `stop`.
        public var action: String
        /// The keys of the configuration that ask for it.
        public var keys: [String]
        /// Time that its last start took; nil when that is not known.
        public var estimate: Duration?
        /// Progress of the step, as text, so that states of a newer daemon can still be shown.
        public var state: String
        /// Why it failed or was skipped, or what of it does not hold.
        public var error: String?

        /// Makes a step that is planned.
        public init(name: String, action: String, keys: [String], estimate: Duration?) {
            (self.name, self.action, self.keys, self.estimate) = (name, action, keys, estimate)
            state = State.planned.rawValue
        }

        /// Reads a step; throws a 502 for anything without a name and an action.
        public init(json: JSONValue) throws(APIError) {
            guard let name = json["name"]?.string, let action = json["action"]?.string else {
                throw APIError.malformedAnswer("a step of an apply was expected", json)
            }
            self.init(
                name: name, action: action, keys: (json["keys"]?.array ?? []).compactMap(\.string),
                estimate: json["estimateMs"]?.int.map { .milliseconds($0) })
            state = json["state"]?.string ?? state
            error = json["error"]?.string
        }

        /// `{name, action, keys, estimateMs?, state, error?}`.
        public var json: JSONValue {
            var members: JSONObject = ["name": .string(name), "action": .string(action), "keys": keys.json]
            if let estimate { members["estimateMs"] = JSONValue(Int(estimate.milliseconds)) }
            members["state"] = .string(state)
            if let error { members["error"] = .string(error) }
            return .object(members)
        }
    }

    /// The services that are touched, in order.
    public struct Answer: WireValue, Equatable {
        /// The steps; none when all services run with the configuration.
        public var steps: [Step]
        /// Time that they take together, as far as it is known.
        public var estimate: Duration?

        /// Makes the answer of the daemon.
        public init(steps: [Step], estimate: Duration?) {
            (self.steps, self.estimate) = (steps, estimate)
        }

        /// Reads `{steps, estimateMs?}`; throws a 502 for anything else.
        public init(json: JSONValue) throws(APIError) {
            steps = try [Step](json: json["steps"] ?? .null)
            estimate = json["estimateMs"]?.int.map { .milliseconds($0) }
        }

        /// JSON on the wire: `{steps, estimateMs?}`.
        public var json: JSONValue {
            var members: JSONObject = ["steps": steps.json]
            if let estimate { members["estimateMs"] = JSONValue(Int(estimate.milliseconds)) }
            return .object(members)
        }
    }
}
