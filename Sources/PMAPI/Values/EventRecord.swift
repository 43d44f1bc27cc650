public import JSON
public import PMModel

/// The kind of an event: one word, which filters and hooks use too.
public enum EventKind: String, Sendable, CaseIterable {
    /// A process of a service was started.
    case start
    /// A service became ready.
    case ready
    /// A ready service failed its liveness check.
    case unhealthy
    /// A service that was unhealthy responds again.
    case recovered
    /// A process of a service ended, by itself or because of a stop.
    case exit
    /// A service is not started again, or only once in a while.
    case giveUp
    /// A service is in another state that no other kind reports: stopping, stuck, a pause before a restart, down.
    case state
    /// The configuration changed, or cannot be used.
    case config
    /// Packages were installed or removed.
    case install
    /// A call or a connection was refused, because its caller has no right to it.
    case refused
    /// A plugin failed.
    case plugin
    /// A hook failed, or was left out.
    case hook
    /// The daemon started, was replaced or ends.
    case daemon
}

/// An event of a service or of the daemon, as it is stored, streamed and given to hooks.
public struct EventRecord: Equatable, Sendable {
    /// Its number: events count from 1, and never restart while their file exists.
    public var seq: UInt64
    /// When it happened.
    public var at: WallTime
    /// Its kind.
    public var kind: EventKind
    /// The unit that it is about (`web`, `web#2`); nil: the daemon as a whole.
    public var service: String?
    /// One sentence for people.
    public var message: String
    /// What programs want to know of it, by its kind (Docs/Protocol.md).
    public var details: JSONObject

    /// Makes an event; the store gives it its number.
    public init(
        _ kind: EventKind, of service: String? = nil, _ message: String, _ details: [(String, JSONValue)] = []
    ) {
        (seq, at) = (0, WallTime(nanoseconds: 0))
        (self.kind, self.service) = (kind, service)
        self.message = message
        self.details = JSONObject(details)
    }

    /// The death record of an exit; nil for other kinds.
    public var death: DeathRecord? {
        guard kind == .exit else { return nil }
        // Of another version: then nothing is known.
        return try? DeathRecord(json: .object(details))
    }
}

extension EventRecord: WireValue {
    /// Reads an event; throws a 502 for an unknown kind or a missing time.
    public init(json: JSONValue) throws(APIError) {
        guard let kind = json["kind"]?.string.flatMap(EventKind.init(rawValue:)),
            let time = json["at"]?.string.flatMap({ WallTime(iso8601: $0) })
        else { throw APIError.malformedAnswer("an event was expected", json) }
        self.init(kind, of: json["service"]?.string, json["message"]?.string ?? "")
        seq = UInt64(clamping: json["seq"]?.int ?? 0)
        at = time
        details = json["details"]?.object ?? JSONObject()
    }

    /// JSON on the wire and in the file: `{seq, at, kind, service, message, details}`. The order counts: a reader that looks for
    /// events of a service in the file reads the first members only.
    public var json: JSONValue {
        var members = JSONObject([
            ("seq", .number(JSONNumber(Int(clamping: seq)))), ("at", .string(at.iso8601)),
            ("kind", .string(kind.rawValue)),
        ])
        if let service { members["service"] = .string(service) }
        members["message"] = .string(message)
        if !details.isEmpty { members["details"] = .object(details) }
        return .object(members)
    }
}
