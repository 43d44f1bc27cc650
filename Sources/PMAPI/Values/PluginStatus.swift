public import JSON

/// The row of a plugin: what it is, how its process is, and what it offers.
public struct PluginStatus: Equatable, Sendable {
    /// State of a plugin.
    public enum State: String, Sendable, CaseIterable {
        /// It serves.
        case ready
        /// Its process runs, and has not said yet what it offers.
        case starting
        /// Its process has died, and is started again after a pause.
        case backoff
        /// Its process is being stopped.
        case stopping
        /// Its process does not run, because it was stopped or not started yet.
        case down
        /// It has only runtimes, and needs no process.
        case drivers = "no process"
        /// There is no such package, or its package.json is wrong.
        case unusable
    }

    /// The name of the package.
    public var name: String
    /// What the configuration says: a name or a path.
    public var source: String
    /// The version of the package.
    public var version: String?
    /// The unit that runs its process, for `pm log` and `pm restart`; nil: it has none.
    public var unit: String?
    /// State of the plugin.
    public var state = State.down
    /// Process id of its host.
    public var pid: Int32?
    /// Restarts nobody asked for.
    public var restarts = 0
    /// Time since its process started.
    public var uptime: Duration?
    /// Commands of `pm`.
    public var commands: [String] = []
    /// Words for `type` of a service.
    public var runtimes: [String] = []
    /// Checks for `ready` and `live`.
    public var probes: [String] = []
    /// Kinds of events that it gets.
    public var events: [String] = []
    /// Routes of HTTP.
    public var http: [String] = []
    /// What is wrong with it, a sentence each.
    public var problems: [String] = []

    /// Makes the row of a plugin that does not run.
    public init(name: String, source: String) {
        self.name = name
        self.source = source
    }

    /// Everything that it offers, for a table: `commands hello; runtimes python`.
    public var offers: String {
        let kinds = [
            ("commands", commands), ("runtimes", runtimes), ("probes", probes), ("events", events), ("http", http),
        ]
        return kinds.filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
    }
}

extension PluginStatus: WireValue {
    /// Reads a row; throws a 502 without a name.
    public init(json: JSONValue) throws(APIError) {
        guard let members = json.object, let name = members["name"]?.string else {
            throw APIError.malformedAnswer("a row of a plugin was expected", json)
        }
        self.init(name: name, source: members["source"]?.string ?? name)
        version = members["version"]?.string
        unit = members["unit"]?.string
        state = members["state"]?.string.flatMap(State.init) ?? .down
        pid = members["pid"]?.int.map { Int32(clamping: $0) }
        restarts = members["restarts"]?.int ?? 0
        uptime = members["uptimeMs"]?.int.map { .milliseconds($0) }
        func texts(_ key: String) -> [String] { (members[key]?.array ?? []).compactMap(\.string) }
        (commands, runtimes, probes) = (texts("commands"), texts("runtimes"), texts("probes"))
        (events, http, problems) = (texts("events"), texts("http"), texts("problems"))
    }

    /// JSON on the wire; what is absent is left out, lists of offers are not.
    public var json: JSONValue {
        var members: JSONObject = ["name": .string(name), "source": .string(source)]
        members["version"] = version.map { .string($0) }
        members["unit"] = unit.map { .string($0) }
        members["state"] = .string(state.rawValue)
        members["pid"] = pid.map { JSONValue(Int($0)) }
        members["restarts"] = JSONValue(restarts)
        members["uptimeMs"] = uptime.map { JSONValue(Int($0.milliseconds)) }
        members["commands"] = commands.json
        members["runtimes"] = runtimes.json
        members["probes"] = probes.json
        members["events"] = events.json
        members["http"] = http.json
        if !problems.isEmpty { members["problems"] = problems.json }
        return .object(members)
    }
}
