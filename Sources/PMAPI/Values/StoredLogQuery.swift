public import JSON

/// The request to pm-logs, on its standard input: a `log` call, and the place of the logs. pm-logs answers with frames.
public struct StoredLogQuery: Equatable, Sendable {
    /// The wanted lines; `names` are the services, all of them.
    public var call: Log
    /// The daemon's state directory.
    public var state: String
    /// True to read the files too, and not only the journal.
    public var readsFiles = true
    /// Positions at which to stop in the files of each service, because the caller reads on from there itself; others:
    /// at the end of the file.
    public var ends: [String: String] = [:]
    /// Position at which to begin in the journal: a cursor of journald.
    public var after: String?
    /// True to wait until journald has stored all entries that it has received.
    public var settles = false

    /// Asks for the lines of a call.
    public init(_ call: Log, state: String) {
        self.call = call
        self.state = state
    }

    /// The JSON text.
    public var json: JSONValue {
        var members = JSONObject([("call", call.params), ("state", .string(state)), ("files", .bool(readsFiles))])
        members["ends"] = .object(JSONObject(ends.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        members["after"] = after.map { .string($0) }
        members["settles"] = .bool(settles)
        return .object(members)
    }

    /// Reads the JSON text; throws a 400 for anything else.
    public init(json: JSONValue) throws(APIError) {
        guard let state = json["state"]?.string else { throw APIError.badRequest("state is missing") }
        self.init(try Log(Parameters(json["call"])), state: state)
        readsFiles = json["files"]?.bool ?? true
        for (name, end) in json["ends"]?.object ?? JSONObject() { ends[name] = end.string }
        after = json["after"]?.string
        settles = json["settles"]?.bool ?? false
    }
}

/// A line of pm-logs' answer.
public enum StoredLogFrame: Equatable, Sendable {
    /// A line, or a piece of one, and where it ends in the journal if it is from there.
    case record(LogRecord)
    /// The last piece of a line that its service is still writing, and the bytes of a character that is not complete.
    case unfinished(LogRecord, torn: [UInt8])
    /// That was all that is stored; the place in the journal up to which it was read.
    case stored(cursor: String?)
    /// The logs cannot be read.
    case failed(APIError)

    /// The JSON text.
    public var json: JSONValue {
        switch self {
        case .record(let record): return record.json
        case .unfinished(let record, let torn):
            var members = record.json.object ?? JSONObject()
            members["torn"] = .array(torn.map { .number(JSONNumber(Int($0))) })
            return .object(members)
        case .stored(let cursor): return .object(JSONObject([("stored", cursor.map { .string($0) } ?? .null)]))
        case .failed(let error): return .object(JSONObject([("error", error.json)]))
        }
    }

    /// Reads the JSON text; throws a 502 for anything else.
    public init(json: JSONValue) throws(APIError) {
        if let error = json["error"] {
            self = .failed(APIError(json: error))
        } else if let cursor = json["stored"] {
            self = .stored(cursor: cursor.string)
        } else if let torn = json["torn"]?.array {
            let bytes = torn.compactMap { $0.int.flatMap { UInt8(exactly: $0) } }
            self = .unfinished(try LogRecord(json: json), torn: bytes)
        } else {
            self = .record(try LogRecord(json: json))
        }
    }
}
