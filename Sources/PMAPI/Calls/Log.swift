public import JSON
public import PMModel

/// `log [name|names|null, options]`: what services wrote, as a stream of stream frames.
public struct Log: DaemonCall, Equatable {
    /// A beginning or an end of the wanted time.
    public enum Since: Equatable, Sendable {
        /// A point in time.
        case at(WallTime)
        /// So long before now.
        case ago(Duration)
    }

    /// The services; none: all.
    public var names: [String]
    /// At most so many of the last lines before following; nil: all there are (or, when following, ten).
    public var lines: Int?
    /// The beginning of the wanted time; nil: no limit.
    public var since: Since?
    /// The end of the wanted time; nil: no limit.
    public var until: Since?
    /// Only lines in which this POSIX extended regular expression is found.
    public var grep: String?
    /// Only lines as important as this, or more.
    public var priority: LogPriority?
    /// Only output of these kinds; nil: what services wrote, and pm's notes, but no events of incarnations.
    public var streams: [LogRecord.Stream]?
    /// Go on with what is written from now on.
    public var follows = false
    /// Stream `LogRecord`s instead of text.
    public var wantsRecords = false
    /// Records that follow tell where they end, so that the caller can go on there later.
    public var wantsCursors = false
    /// Go on where the caller stopped: the last cursor of each service that it has had one of. Instead of `lines` and
    /// `since`.
    public var after: [String: String]?

    /// Asks for the logs of some services; none: of all.
    public init(names: [String]) { self.names = names }

    /// The method's name on the wire.
    public static let method = Method.log

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .log, doc: "Returns the output of services", usage: "log <name>", sources: ["options.name", "options"],
        options: [
            .init("lines", aliases: ["n"], value: true, doc: "at most this many of the last lines"),
            .init("since", value: true, doc: "only lines from this time on, or of the last 10m"),
            .init("until", value: true, doc: "only lines up to this time, or up to 10m ago"),
            .init("grep", value: true, doc: "only lines that match this regular expression"),
            .init("priority", value: true, doc: "only lines of this level, such as err, or more important"),
            .init(
                "streams", value: true, doc: "only stdout, stderr or pm (notes and events of pm), with commas between"),
            .init("follow", aliases: ["f"], doc: "keep sending new lines"),
            .init("records", doc: "lines with name, time and stream instead of text"),
        ])

    /// Reads `[name|names|null, options]`; throws a 400 for a wrong type, number or time.
    public init(_ parameters: Parameters) throws(APIError) {
        if parameters[0].array != nil {
            self.init(names: try JSONObject([("name", parameters[0])]).texts("name"))
        } else {
            self.init(names: try parameters.optionalText(0, "name").map { [$0] } ?? [])
        }
        let options = try parameters.object(1, named: "options")
        if let text = try options.text("lines") {
            guard let count = Int(text), count >= 0 else {
                throw APIError.badRequest("lines must be a number of lines, not \(text)")
            }
            lines = count
        }
        if let text = try options.text("since") { since = try Since(text, "since") }
        if let text = try options.text("until") { until = try Since(text, "until") }
        grep = try options.text("grep")
        if let text = try options.text("priority") { priority = try Self.priority(text) }
        streams = try Self.streams(options)
        follows = options.flag("follow")
        wantsRecords = options.flag("records")
        wantsCursors = options.flag("cursors")
        if let value = options["after"] { after = try Self.cursors(value) }
        if Self.isBareOfReference(options) { follows = true }
        if follows && until != nil { throw APIError.badRequest("until and follow exclude each other") }
    }

    /// True for `akala pm log NAME`: the reference's command line adds the name and its own options, and stays until ^C.
    private static func isBareOfReference(_ options: JSONObject) -> Bool {
        let isItsOwn = options["name"] != nil || options["configFile"] != nil
        return isItsOwn && !["lines", "since", "until", "grep", "priority"].contains { options[$0] != nil }
    }

    private static func streams(_ options: JSONObject) throws(APIError) -> [LogRecord.Stream]? {
        guard let value = options["streams"] else { return nil }
        let words = value.string?.split(separator: ",").map(String.init) ?? (value.array ?? []).map { $0.string ?? "" }
        let streams = words.compactMap(LogRecord.Stream.init)
        guard !words.isEmpty, streams.count == words.count else {
            throw APIError.badRequest("streams must be a list of stdout, stderr and pm, not \(value.text)")
        }
        return streams
    }

    private static func priority(_ text: String) throws(APIError) -> LogPriority {
        if let priority = LogPriority(text) { return priority }
        let words = LogPriority.allCases.map(\.name).joined(separator: ", ")
        throw APIError.badRequest("priority must be a level, not \(text)", hint: "one of \(words), or 0 to 7")
    }

    private static func cursors(_ value: JSONValue) throws(APIError) -> [String: String] {
        var cursors: [String: String] = [:]
        for (name, cursor) in value.object ?? JSONObject() { cursors[name] = cursor.string }
        guard let members = value.object, members.count == cursors.count else {
            throw APIError.badRequest("after must be an object of services and cursors")
        }
        return cursors
    }

    /// Parameters on the wire: `[name|names|null, {options}]`.
    public var params: JSONValue {
        var options = JSONObject()
        if let lines { options["lines"] = .number(JSONNumber(lines)) }
        if let since { options["since"] = .string(since.text) }
        if let until { options["until"] = .string(until.text) }
        if let grep { options["grep"] = .string(grep) }
        if let priority { options["priority"] = .string(priority.name) }
        if let streams { options["streams"] = .array(streams.map { .string($0.rawValue) }) }
        if follows { options["follow"] = true }
        if wantsRecords { options["records"] = true }
        if wantsCursors { options["cursors"] = true }
        if let after {
            let sorted = after.sorted { $0.key < $1.key }
            options["after"] = .object(JSONObject(sorted.map { ($0.key, .string($0.value)) }))
        }
        let which: JSONValue =
            switch names.count {
            case 0: .null
            case 1: .string(names[0])
            default: .array(names.map { .string($0) })  // a count, not an enum
            }
        return [which, .object(options)]
    }

    /// The stream's first frame says nothing; the lines follow as stream frames.
    public typealias Answer = Nothing
}

extension Log.Since {
    /// Reads a duration (`10m`) or a time with its zone (`2026-11-23T01:02:03Z`); throws a 400 for anything else.
    public init(_ text: String, _ option: String = "since") throws(APIError) {
        // A number alone could be anything.
        if Int(text) == nil, let duration = DurationText.parse(text) {
            self = .ago(duration)
        } else if let time = WallTime(iso8601: text) {
            self = .at(time)
        } else {
            throw APIError.badRequest(
                "\(option) must be a time or a duration, not \(text)", hint: "for example 10m, or 2026-11-23T01:02:03Z")
        }
    }

    /// The point in time that it means.
    public func time(from now: WallTime) -> WallTime {
        switch self {
        case .at(let time): time
        case .ago(let duration): now - duration
        }
    }

    /// The text that `init(_:)` reads.
    public var text: String {
        switch self {
        case .at(let time): time.iso8601
        case .ago(let duration): duration.shortForm
        }
    }
}

/// A piece of output with its origin: a line with its newline, or the piece of one that a program has written so far.
public struct LogRecord: Equatable, Sendable {
    /// The output that a line was written to.
    public enum Stream: String, Sendable, CaseIterable {
        /// Standard output.
        case stdout
        /// Standard error.
        case stderr
        /// What pm itself noted: text, or an event of an incarnation.
        case pm
    }

    /// Name of the service.
    public var name: String
    /// Arrival time at pm or journald.
    public var time: WallTime
    /// The output that the text was written to.
    public var stream: Stream
    /// The text, its newline included when the line is complete; U+FFFD for bytes that are not UTF-8.
    public var text: String
    /// The bytes as the service wrote them, if they are not UTF-8.
    public var bytes: [UInt8]?
    /// The process that wrote it, where that is known.
    public var pid: Int?
    /// Severity of the line, if it is known.
    public var priority: LogPriority?
    /// The event that pm noted, if it is one.
    public var event: IncarnationEvent?
    /// The position after the record in the service's log, if the call asked for cursors and it is known.
    public var cursor: String?

    /// Makes a record.
    public init(name: String, time: WallTime, stream: Stream, text: String) {
        self.name = name
        self.time = time
        self.stream = stream
        self.text = text
    }

    /// Makes a record of bytes as the service wrote them.
    public init(name: String, time: WallTime, stream: Stream, written: [UInt8]) {
        let text = String(validating: written, as: UTF8.self)
        self.init(name: name, time: time, stream: stream, text: text ?? String(decoding: written, as: UTF8.self))
        if text == nil { bytes = written }
    }

    /// Makes the record of an event from its JSON text in the log; of another text, a note with it.
    public init(name: String, time: WallTime, event written: [UInt8]) {
        // An event of a later version is shown as it is stored.
        let event = try? IncarnationEvent(json: JSONValue(parsing: written))
        guard let event else {
            self.init(name: name, time: time, stream: .pm, written: written)
            return
        }
        self.init(name: name, time: time, stream: .pm, text: event.sentence + "\n")
        self.event = event
    }

    /// The bytes as the service wrote them.
    public var written: [UInt8] { bytes ?? Array(text.utf8) }
}

extension LogRecord: WireValue {
    /// Reads a record; throws a 502 when a member is missing.
    public init(json: JSONValue) throws(APIError) {
        guard let name = json["name"]?.string, let text = json["text"]?.string,
            let time = json["time"]?.string.flatMap({ WallTime(iso8601: $0) })
        else { throw APIError.malformedAnswer("a log record was expected", json) }
        self.init(
            name: name, time: time, stream: json["stream"]?.string.flatMap(Stream.init) ?? .stdout, text: text)
        bytes = json["bytes"]?["data"]?.array.map { $0.map { UInt8(truncatingIfNeeded: $0.int ?? 0) } }
        pid = json["pid"]?.int
        priority = json["priority"]?.int.flatMap { LogPriority(rawValue: $0) }
        // An event of a later version has its text.
        event = json["event"].flatMap { try? IncarnationEvent(json: $0) }
        cursor = json["cursor"]?.string
    }

    /// JSON on the wire: `{name, time, stream, text, bytes?, pid?, priority?, event?, cursor?}`; `bytes` is a Buffer of Node.
    public var json: JSONValue {
        var members = JSONObject([
            ("name", .string(name)), ("time", .string(time.iso8601)), ("stream", .string(stream.rawValue)),
            ("text", .string(text)),
        ])
        if let bytes {
            members["bytes"] = [
                "type": "Buffer", "data": .array(bytes.map { .number(JSONNumber(Int($0))) }),
            ]
        }
        if let pid { members["pid"] = .number(JSONNumber(pid)) }
        if let priority { members["priority"] = .number(JSONNumber(priority.rawValue)) }
        if let event { members["event"] = event.json }
        if let cursor { members["cursor"] = .string(cursor) }
        return .object(members)
    }
}
