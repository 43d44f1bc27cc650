public import JSON
public import PMModel

/// `events [name|names|null, options]`: what happened to services and to the daemon, as a stream of events.
public struct ReadEvents: DaemonCall, Equatable {
    /// The services, or patterns with `*`; none: all events, those of the daemon too.
    public var names: [String]
    /// The kinds; none: all.
    public var kinds: [EventKind] = []
    /// At most so many of the last events before following; nil: all that are kept.
    public var lines: Int?
    /// The beginning of the wanted time; nil: no limit.
    public var since: Log.Since?
    /// The end of the wanted time; nil: no limit.
    public var until: Log.Since?
    /// Go on with events that happen from now on.
    public var follows = false
    /// Only events with a greater number: where a caller stopped.
    public var after: UInt64?

    /// Asks for the events of some services; none: of all.
    public init(names: [String]) { self.names = names }

    /// The method's name on the wire.
    public static let method = Method.events

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .events, doc: "Returns what happened to services", usage: "events <name>",
        sources: ["options.name", "options"],
        options: [
            .init("lines", aliases: ["n"], value: true, doc: "at most this many of the last events"),
            .init("since", value: true, doc: "only events from this time on, or of the last 10m"),
            .init("until", value: true, doc: "only events up to this time, or up to 10m ago"),
            .init("kind", value: true, doc: "only events of this kind, such as exit"),
            .init("follow", aliases: ["f"], doc: "keep sending new events"),
        ])

    /// Reads `[name|names|null, options]`; throws a 400 for a wrong type, kind, number or time.
    public init(_ parameters: Parameters) throws(APIError) {
        if parameters[0].array != nil {
            self.init(names: try JSONObject([("name", parameters[0])]).texts("name"))
        } else {
            self.init(names: try parameters.optionalText(0, "name").map { [$0] } ?? [])
        }
        let options = try parameters.object(1, named: "options")
        for text in try options.texts("kind") { kinds.append(try Self.kind(text)) }
        if let text = try options.text("lines") {
            guard let count = Int(text), count >= 0 else {
                throw APIError.badRequest("lines must be a number of events, not \(text)")
            }
            lines = count
        }
        if let text = try options.text("since") { since = try Log.Since(text, "since") }
        if let text = try options.text("until") { until = try Log.Since(text, "until") }
        follows = options.flag("follow")
        if let text = try options.text("after") {
            guard let number = UInt64(text) else {
                throw APIError.badRequest("after must be the number of an event, not \(text)")
            }
            after = number
        }
        if follows && until != nil { throw APIError.badRequest("until and follow exclude each other") }
    }

    /// Reads a kind; throws a 400 for another word.
    public static func kind(_ text: String) throws(APIError) -> EventKind {
        if let kind = EventKind(rawValue: text) { return kind }
        let words = EventKind.allCases.map(\.rawValue).joined(separator: ", ")
        throw APIError.badRequest("kind must be a kind of events, not \(text)", hint: "one of \(words)")
    }

    /// The names as JSON writes them between quotation marks, which is how the file of events has them.
    public var escapedNames: [String] { names.map(\.escapedForJSON) }

    /// The beginning and the end of the wanted time as events have it.
    public func times(from now: WallTime) -> (since: String?, until: String?) {
        (since?.time(from: now).iso8601, until?.time(from: now).iso8601)
    }

    /// Parameters on the wire: `[name|names|null, {options}]`.
    public var params: JSONValue {
        var options = JSONObject()
        if !kinds.isEmpty { options["kind"] = .array(kinds.map { .string($0.rawValue) }) }
        if let lines { options["lines"] = .number(JSONNumber(lines)) }
        if let since { options["since"] = .string(since.text) }
        if let until { options["until"] = .string(until.text) }
        if follows { options["follow"] = true }
        if let after { options["after"] = .string(String(after)) }
        let which: JSONValue =
            switch names.count {
            case 0: .null
            case 1: .string(names[0])
            default: .array(names.map { .string($0) })  // a count, not an enum
            }
        return [which, .object(options)]
    }

    /// The stream's first frame says nothing; the events follow as stream frames.
    public typealias Answer = Nothing
}

/// A piece of the stream of events.
public enum EventFrame: Equatable, Sendable {
    /// An event.
    case event(EventRecord)
    /// So many events, of all services and kinds, are left out here, because the caller read too slowly.
    case missed(UInt64)
}

extension EventFrame: WireValue {
    /// Reads a piece; throws a 502 for anything else.
    public init(json: JSONValue) throws(APIError) {
        if let count = json["missed"]?.int {
            self = .missed(UInt64(clamping: count))
        } else {
            self = .event(try EventRecord(json: json))
        }
    }

    /// An event, or `{missed: COUNT}`.
    public var json: JSONValue {
        switch self {
        case .event(let event): event.json
        case .missed(let count): ["missed": .number(JSONNumber(Int(clamping: count)))]
        }
    }
}
