public import JSON
public import PMModel

extension ExitReason {
    /// One phrase for people: `exit code 1`, `SIGKILL`, `SIGSEGV, core dumped`, `out of memory (limit 256MiB)`, `spawn failed: …`, `not ready in 60s`,
    /// `unresponsive: no answer to $ping in 5s`.
    public var phrase: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal, let dumpedCore): SignalName.name(of: signal) + (dumpedCore ? ", core dumped" : "")
        case .memory(let limit):
            limit.map { "out of memory (limit \(SizeText.text($0)))" } ?? "out of memory (the machine's)"
        case .spawnFailed(let failure): "spawn failed: \(failure.sentence)"
        case .notReady(let deadline): "not ready in \(deadline.shortForm)"
        case .unresponsive(let seen): seen.isEmpty ? "unresponsive" : "unresponsive: \(seen)"
        }
    }

    /// The members that tell the reason, in the order they are written.
    fileprivate var members: [(String, JSONValue)] {
        switch self {
        case .exited(let code): [("reason", "exited"), ("code", .number(JSONNumber(Int(code))))]
        case .signaled(let signal, let dumpedCore):
            [
                ("reason", "signaled"), ("signal", .string(SignalName.name(of: signal))),
                ("signalNumber", .number(JSONNumber(Int(signal)))), ("coreDumped", .bool(dumpedCore)),
            ]
        case .memory(let limit):
            [("reason", "memory")] + (limit.map { [("limitBytes", .number(JSONNumber($0)))] } ?? [])
        case .spawnFailed(let failure): [("reason", "spawnFailed")] + failure.members
        case .notReady(let deadline):
            [("reason", "notReady"), ("deadlineMs", .number(JSONNumber(Int(deadline.milliseconds))))]
        case .unresponsive(let seen):
            [("reason", "unresponsive")] + (seen.isEmpty ? [] : [("seen", .string(seen))])
        }
    }

    fileprivate init(members json: JSONValue) throws(APIError) {
        switch json["reason"]?.string {
        case "exited": self = .exited(code: Int32(clamping: json["code"]?.int ?? 0))
        case "signaled":
            self = .signaled(
                signal: Int32(clamping: json["signalNumber"]?.int ?? 0), dumpedCore: json["coreDumped"]?.bool ?? false)
        case "memory": self = .memory(limit: json["limitBytes"]?.int.map { Int64($0) })
        case "spawnFailed": self = .spawnFailed(SpawnFailure(members: json))
        case "notReady": self = .notReady(deadline: .milliseconds(json["deadlineMs"]?.int ?? 0))
        case "unresponsive": self = .unresponsive(seen: json["seen"]?.string ?? "")
        default: throw APIError.malformedAnswer("a reason of a death was expected", json)  // text from outside
        }
    }
}

extension DeathRecord: WireValue {
    /// Reads a death record; throws a 502 for an unknown reason or a missing time.
    public init(json: JSONValue) throws(APIError) {
        guard let time = json["at"]?.string.flatMap({ WallTime(iso8601: $0) }) else {
            throw APIError.malformedAnswer("a time of a death was expected", json)
        }
        self.init(
            incarnation: UInt64(clamping: json["incarnation"]?.int ?? 0), reason: try ExitReason(members: json),
            at: time,
            uptime: .milliseconds(json["uptimeMs"]?.int ?? 0))
        wasRequested = json["requested"]?.bool ?? false
        lastLines = (json["lastLines"]?.array ?? []).compactMap(\.string)
        fault = json["fault"].flatMap(Fault.init)
        probe = json["probe"]?.string
        earlier = (json["earlier"]?.array ?? []).prefix(Self.mostEarlier).compactMap(PastExit.init)
    }

    /// JSON on the wire: `{reason, code | signal…, at, uptimeMs, requested, incarnation, lastLines, fault?, probe?, earlier?}`.
    public var json: JSONValue {
        var members = JSONObject()
        for (key, value) in reason.members { members[key] = value }
        members["at"] = .string(at.iso8601)
        members["uptimeMs"] = .number(JSONNumber(Int(uptime.milliseconds)))
        members["requested"] = .bool(wasRequested)
        members["incarnation"] = .number(JSONNumber(Int(clamping: incarnation)))
        members["lastLines"] = .array(lastLines.map { .string($0) })
        if let fault { members["fault"] = fault.json }
        if let probe { members["probe"] = .string(probe) }
        if !earlier.isEmpty { members["earlier"] = .array(earlier.map(\.json)) }
        return .object(members)
    }
}

extension PastExit {
    /// Reads an exit; nil for one of another shape.
    init?(_ json: JSONValue) {
        guard let at = json["at"]?.string.flatMap({ WallTime(iso8601: $0) }),
            // A reason that only a later version knows is left out.
            let reason = try? ExitReason(members: json)
        else { return nil }
        self.init(
            incarnation: UInt64(clamping: json["incarnation"]?.int ?? 0), reason: reason, at: at,
            wasRequested: json["requested"]?.bool ?? false)
    }

    /// JSON on the wire: `{reason, code | signal…, at, requested, incarnation}`.
    var json: JSONValue {
        var members = JSONObject()
        for (key, value) in reason.members { members[key] = value }
        members["at"] = .string(at.iso8601)
        members["requested"] = .bool(wasRequested)
        members["incarnation"] = .number(JSONNumber(Int(clamping: incarnation)))
        return .object(members)
    }
}

extension Fault {
    /// Reads a fault; nil for one without a message.
    init?(_ json: JSONValue) {
        guard let message = json["message"]?.string else { return nil }
        let place = json["file"]?.string.flatMap { file in
            json["line"]?.int.map { Location(file, $0, json["column"]?.int) }
        }
        self.init(message, at: place, excerpt: (json["excerpt"]?.array ?? []).compactMap(\.string))
    }

    /// JSON on the wire: `{message, file?, line?, column?, excerpt?}`.
    var json: JSONValue {
        var members = JSONObject([("message", .string(message))])
        if let place {
            members["file"] = .string(place.file)
            members["line"] = JSONValue(place.line)
            if let column = place.column { members["column"] = JSONValue(column) }
        }
        if !excerpt.isEmpty { members["excerpt"] = .array(excerpt.map { .string($0) }) }
        return .object(members)
    }
}
