public import JSON

/// One frame of a streamed answer: its `result`, and the `stream` flag where the frame carries it.
///
/// On the wire a stream is `{"id":X,"stream":true,"result":{}}`, frames with `{"event":"data",…}`, and
/// `{"id":X,"result":{"event":"end"},"stream":true}`; an error frame with the id ends it too.
public enum StreamEvent: Equatable, Sendable {
    /// The stream is open.
    case begin
    /// A string, or for record streams an object.
    case value(JSONValue)
    /// Bytes.
    case bytes([UInt8])
    /// Nothing follows.
    case end

    /// Reads the `result` of a frame; a result that is no event at all comes from a method that does not stream: nil.
    public init?(result: JSONValue) {
        guard let members = result.object else { return nil }
        switch members["event"]?.string {
        case "data":
            guard let data = members["data"] else { return nil }
            self = data["type"]?.string == "Buffer" ? .bytes(Self.bytes(data["data"])) : .value(data)
        case "end": self = .end
        case nil where members.isEmpty: self = .begin
        default: return nil  // text from outside, not an enum of ours
        }
    }

    private static func bytes(_ list: JSONValue?) -> [UInt8] {
        (list?.array ?? []).map { UInt8(truncatingIfNeeded: $0.int ?? 0) }
    }

    /// The `result` of the frame.
    public var result: JSONValue {
        switch self {
        case .begin: [:]
        case .value(let value): ["event": "data", "isBuffer": false, "data": value]
        case .bytes(let bytes):
            [
                "event": "data", "isBuffer": true,
                "data": ["type": "Buffer", "data": .array(bytes.map { .number(JSONNumber(Int($0))) })],
            ]
        case .end: ["event": "end"]
        }
    }

    /// Whether the frame carries `stream: true`.
    public var isFlagged: Bool {
        switch self {
        case .begin, .end: true
        case .value, .bytes: false
        }
    }
}
