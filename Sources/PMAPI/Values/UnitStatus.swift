public import JSON
public import PMModel

/// The state of a unit, as its status shows it.
public enum ServiceState: String, Sendable, CaseIterable {
    /// Nothing of it runs and nothing will by itself.
    case down
    /// The unit waits for units that it depends on.
    case waiting
    /// The unit runs and is not ready yet.
    case starting
    /// The unit runs and is ready.
    case up
    /// The unit was asked to end, and processes of its tree are left.
    case stopping
    /// The unit died, and starts again after a pause.
    case backoff
    /// The unit died too often, and is tried once in a long while.
    case cooling
}

/// One row of `status`.
public struct UnitStatus: Equatable, Sendable {
    /// The unit's name.
    public var name: String
    /// The runtime: `nodejs`, `worker`, `docker`, or `self` for the daemon.
    public var type: String
    /// The program: path or URL, as registered.
    public var folder: String?
    /// The working directory.
    public var cwd: String?
    /// True when several instances may run.
    public var isStateless = false
    /// True when the unit answers JSON-RPC.
    public var isCommandable = false
    /// The wanted state: `up` or `down`.
    public var wanted: String
    /// One of `ServiceState`, as text, so that states of a newer daemon can still be shown.
    public var state: String
    /// True when the readiness check has succeeded.
    public var isReady = false
    /// The process id of its main process while one runs.
    public var pid: Int32?
    /// When the running incarnation started.
    public var startedAt: WallTime?
    /// Time since the program started; nil when none runs.
    public var uptime: Duration?
    /// The number of restarts after deaths.
    public var restarts = 0
    /// The last death.
    public var lastExit: DeathRecord?
    /// Bytes of memory that its processes use.
    public var memory: Int64?
    /// Processor time that they have used.
    public var cpu: Duration?
    /// The number of processes; with a cgroup their threads are counted too.
    public var tasks: Int?
    /// Why it waits, or is restarted soon, because of a service that it needs; nil: it does not wait.
    public var waiting: Wait?
    /// Time until pm tries to start it, or the service that it waits for, again; nil: no time is set.
    public var nextTry: Duration?
    /// The service's own status text (STATUS= of sd_notify(3)).
    public var statusText: String?
    /// The URL of its inspector, for a debugger; nil when none listens.
    public var inspector: String?
    /// What its readiness check saw last, while it is not ready; nil when it has seen nothing.
    public var probe: String?
    /// Its liveness check; nil where there is nothing to say.
    public var live: Liveness?
    /// Keys of the configuration that have another value than the one it runs with; empty when it is up to date.
    public var drift: [String] = []
    /// Sentences about faults at the moment; empty when all is well.
    public var problems: [String] = []

    /// Members on the wire.
    public var form = Form.full

    /// The members of a row on the wire.
    public enum Form: Equatable, Sendable {
        /// All that are known.
        case full
        /// Those of which the reference's command line can make a table on a narrow terminal.
        case short
    }

    /// Why a service waits.
    public struct Wait: Equatable, Sendable {
        /// The service that it waits for; nil: another configuration.
        public var dependency: String?
        /// The reason, in words.
        public var reason: String

        /// Makes the values.
        public init(for dependency: String?, because reason: String) {
            (self.dependency, self.reason) = (dependency, reason)
        }
    }

    /// Turns of the daemon's loop that kept all clients waiting; nil: none.
    public var longTurns: LongTurns?

    /// Turns of the daemon's loop that took longer than 50 ms.
    public struct LongTurns: Equatable, Sendable {
        /// The number of long turns since the daemon's start.
        public var count: Int
        /// The number of those that took as long without the time that they waited for a processor.
        public var busy: Int
        /// Time of the turn that did most.
        public var longest: Duration
        /// The part of that turn in which it waited for a processor.
        public var waited = Duration.zero
        /// The longest part of that turn.
        public var cause: String

        /// Makes the values.
        public init(count: Int, busy: Int, longest: Duration, cause: String) {
            (self.count, self.busy, self.longest, self.cause) = (count, busy, longest, cause)
        }
    }

    /// The liveness check of a running unit.
    public struct Liveness: Equatable, Sendable {
        /// Kind of the check, as the configuration has it.
        public var check: String
        /// Checks that failed in a row.
        public var failures: Int
        /// Time for which it has not responded; nil: it counts as responsive.
        public var unresponsiveFor: Duration?
        /// What the last failed check saw; empty after one that passed.
        public var seen: String

        /// Makes the values of a check.
        public init(check: String, failures: Int, unresponsiveFor: Duration?, seen: String) {
            (self.check, self.failures, self.unresponsiveFor, self.seen) = (check, failures, unresponsiveFor, seen)
        }
    }

    /// Makes the row of a unit that has no process.
    public init(name: String, type: String = RuntimeKind.nodejs.rawValue, wanted: Desired, state: ServiceState) {
        self.name = name
        self.type = type
        self.wanted = wanted.rawValue
        self.state = state.rawValue
    }
}

extension UnitStatus: WireValue {
    /// Reads a row; only `name` must be there, since the reference's rows have fewer members.
    public init(json: JSONValue) throws(APIError) {
        guard let members = json.object, let name = members["name"]?.string else {
            throw APIError.malformedAnswer("a row of the status was expected", json)
        }
        let isRunning = members["running"]?.bool ?? false
        self.init(name: name, wanted: isRunning ? .up : .down, state: isRunning ? .up : .down)
        type = members["type"]?.string ?? type
        folder = members["folder"]?.string
        cwd = members["cwd"]?.string
        isStateless = members["stateless"]?.bool ?? false
        isCommandable = members["commandable"]?.bool ?? false
        wanted = members["wanted"]?.string ?? wanted
        state = members["state"]?.string ?? state
        isReady = members["ready"]?.bool ?? isRunning
        pid = members["pid"]?.int.map { Int32(clamping: $0) }
        startedAt = members["startedAt"]?.string.flatMap { WallTime(iso8601: $0) }
        uptime = members["uptimeMs"]?.int.map { .milliseconds($0) }
        restarts = members["restarts"]?.int ?? 0
        if let record = members["lastExit"], record != .null { lastExit = try DeathRecord(json: record) }
        memory = members["memoryBytes"]?.int.map { Int64($0) }
        cpu = members["cpuMs"]?.int.map { .milliseconds($0) }
        tasks = members["tasks"]?.int
        statusText = members["statusText"]?.string
        waiting = members["waiting"].flatMap { wait in
            wait["reason"]?.string.map { Wait(for: wait["for"]?.string, because: $0) }
        }
        nextTry = members["nextTryMs"]?.int.map { .milliseconds($0) }
        inspector = members["inspector"]?.string
        probe = members["probe"]?.string
        live = members["live"].flatMap(Liveness.init)
        drift = (members["drift"]?.array ?? []).compactMap(\.string)
        problems = (members["problems"]?.array ?? []).compactMap(\.string)
        if let turns = members["longTurns"], let count = turns["count"]?.int {
            longTurns = LongTurns(
                count: count, busy: turns["busy"]?.int ?? count, longest: .milliseconds(turns["longestMs"]?.int ?? 0),
                cause: turns["cause"]?.string ?? "")
            longTurns?.waited = .milliseconds(turns["waitedMs"]?.int ?? 0)
        }
    }

    /// The row as JSON.
    public var json: JSONValue {
        var members = JSONObject()
        write(to: &members)
        return .object(members)
    }

    /// Appends the row as compact JSON: the rows of thousands of services are written without a value for each.
    public func append(to output: inout [UInt8]) {
        var row = WrittenObject()
        write(to: &row)
        row.append(to: &output)
    }
}

extension UnitStatus {
    /// The reference's members (`name`, `running`, `folder`, `stateless`, `type`, `cwd`), then ours; absent ones are left out.
    private func write(to row: inout some MemberReceiver) {
        row.put("name", name)
        row.put("running", pid != nil)
        if form == .short { return writeShort(to: &row) }
        if let folder { row.put("folder", folder) }
        row.put("stateless", isStateless)
        row.put("type", type)
        if let cwd { row.put("cwd", cwd) }
        row.put("commandable", isCommandable)
        row.put("wanted", wanted)
        row.put("state", state)
        row.put("ready", isReady)
        writeRun(to: &row)
        writeNews(to: &row)
    }

    /// The present run, in numbers.
    private func writeRun(to row: inout some MemberReceiver) {
        if let pid { row.put("pid", Int(pid)) }
        if let startedAt { row.put("startedAt", startedAt.iso8601) }
        if let uptime { row.put("uptimeMs", Int(uptime.milliseconds)) }
        row.put("restarts", restarts)
        if let memory { row.put("memoryBytes", Int(memory)) }
        if let cpu { row.put("cpuMs", Int(cpu.milliseconds)) }
        if let tasks { row.put("tasks", tasks) }
    }

    /// What most rows do not have.
    private func writeNews(to row: inout some MemberReceiver) {
        if let waiting {
            var wait = JSONObject()
            if let name = waiting.dependency { wait["for"] = .string(name) }
            wait["reason"] = .string(waiting.reason)
            row.put("waiting", .object(wait))
        }
        if let nextTry { row.put("nextTryMs", Int(nextTry.milliseconds)) }
        if let statusText { row.put("statusText", statusText) }
        if let inspector { row.put("inspector", inspector) }
        if let probe { row.put("probe", probe) }
        if let live { row.put("live", live.json) }
        if let lastExit { row.put("lastExit", lastExit.json) }
        if let failure { row.put("nextStep", .string(failure.nextStep)) }
        if let longTurns {
            row.put(
                "longTurns",
                [
                    "count": JSONValue(longTurns.count), "busy": JSONValue(longTurns.busy),
                    "longestMs": JSONValue(Int(longTurns.longest.milliseconds)),
                    "waitedMs": JSONValue(Int(longTurns.waited.milliseconds)), "cause": .string(longTurns.cause),
                ])
        }
        if !drift.isEmpty { row.put("drift", drift.json) }
        if !problems.isEmpty { row.put("problems", .array(problems.map { .string($0) })) }
    }

    /// Its table is cut to the terminal only where no column's name is longer than nine letters.
    private func writeShort(to row: inout some MemberReceiver) {
        row.put("state", state)
        row.put("type", type)
        row.put("folder", folder ?? "")
    }
}

extension UnitStatus.Liveness {
    fileprivate init?(_ json: JSONValue) {
        guard let check = json["by"]?.string else { return nil }
        self.init(
            check: check, failures: json["failed"]?.int ?? 0,
            unresponsiveFor: json["unresponsiveMs"]?.int.map { .milliseconds($0) }, seen: json["seen"]?.string ?? "")
    }

    fileprivate var json: JSONValue {
        var members: JSONObject = ["by": .string(check), "failed": JSONValue(failures)]
        if let unresponsiveFor { members["unresponsiveMs"] = JSONValue(Int(unresponsiveFor.milliseconds)) }
        if !seen.isEmpty { members["seen"] = .string(seen) }
        return .object(members)
    }
}
