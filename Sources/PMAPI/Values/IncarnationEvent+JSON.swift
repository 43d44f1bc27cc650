public import JSON
public import PMModel

extension IncarnationEvent: WireValue {
    /// Reads an event; throws a 502 for one of an unknown kind.
    public init(json: JSONValue) throws(APIError) {
        switch json["kind"]?.string {
        case "started":
            self = .started(
                Started(
                    incarnation: UInt64(clamping: json["incarnation"]?.int ?? 0),
                    pid: Int32(clamping: json["pid"]?.int ?? 0), restarts: json["restarts"]?.int ?? 0))
        case "ended", "failedToStart": self = .ended(try DeathRecord(json: json))
        default: throw APIError.malformedAnswer("an event of an incarnation was expected", json)  // text from outside
        }
    }

    /// JSON on the wire: `{kind: "started", incarnation, pid, restarts}`, or `{kind: "ended" | "failedToStart", …}` with the members
    /// of a death record, without its output and the exits before it: the log has those.
    public var json: JSONValue {
        switch self {
        case .started(let start):
            return [
                "kind": "started", "incarnation": JSONValue(Int(clamping: start.incarnation)),
                "pid": JSONValue(Int(start.pid)), "restarts": JSONValue(start.restarts),
            ]
        case .ended(let record):
            var short = record
            (short.lastLines, short.earlier) = ([], [])
            var members = JSONObject([("kind", .string(record.neverRan ? "failedToStart" : "ended"))])
            for (key, value) in short.json.object ?? JSONObject() where key != "lastLines" { members[key] = value }
            return .object(members)
        }
    }

    /// The event for people: `started, process 12`, `exited with code 1 after 2s: Error: boom (a.js:3:7)`.
    public var sentence: String {
        switch self {
        case .started(let start):
            "started\(start.restarts > 0 ? " again (restart \(start.restarts))" : ""), process \(start.pid)"
        case .ended(let record): record.sentence
        }
    }
}

extension DeathRecord {
    /// True when there was no program that could end.
    var neverRan: Bool { if case .spawnFailed = reason { true } else { false } }

    /// The end for people.
    fileprivate var sentence: String {
        let time = "after \(uptime.rounded)"
        let cause = fault.map { ": \($0.sentence)" } ?? ""
        if wasRequested { return "stopped \(time) (\(reason.phrase))" }
        switch reason {
        case .exited(code: 0): return "exited with code 0 \(time)"
        case .exited(let code): return "exited with code \(code) \(time)\(cause)"
        case .signaled(let signal, let dumpedCore):
            return "ended by \(SignalName.name(of: signal)) \(time)\(dumpedCore ? ", core dumped" : "")\(cause)"
        case .memory: return "killed \(time): \(reason.phrase)"
        case .spawnFailed(let failure): return "could not be started: \(failure.sentence)"
        case .notReady(let deadline):
            return "ended, because it was not ready within \(deadline.shortForm)\(probe.map { ": \($0)" } ?? "")"
        case .unresponsive: return "ended \(time): \(reason.phrase)"
        }
    }
}

extension Duration {
    /// The text of a time in whole seconds, or in milliseconds if it is shorter than one.
    fileprivate var rounded: String {
        self < .seconds(1) ? shortForm : Duration.seconds(components.seconds).pairForm
    }

    /// Two units at most: `5s`, `2m 5s`, `3h 4m`, `2d 7h`.
    private var pairForm: String {
        let total = components.seconds
        if total < 60 { return "\(total)s" }
        if total < 3_600 { return Self.pair(total / 60, "m", total % 60, "s") }
        if total < 86_400 { return Self.pair(total / 3_600, "h", total % 3_600 / 60, "m") }
        return Self.pair(total / 86_400, "d", total % 86_400 / 3_600, "h")
    }

    private static func pair(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(unit)" : "\(large)\(unit) \(small)\(smallUnit)"
    }
}
