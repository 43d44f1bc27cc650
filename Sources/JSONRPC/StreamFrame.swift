public import JSON

/// One frame of a streamed result or parameter: the `result` of replies that share an id.
public enum StreamFrame: Equatable, Sendable {
    /// A piece: text, or any value from a stream of objects.
    case data(JSONValue)
    /// A piece as bytes.
    case bytes([UInt8])
    /// The last frame.
    case end

    /// Reads the `result` of a reply; nil when it is no frame.
    public init?(result raw: UnsafeRawBufferPointer) {
        guard let frame = try? JSONValue(parsing: raw) else { return nil }  // not JSON, so no frame
        switch frame["event"]?.string {
        case "end": self = .end
        case "data":
            guard let data = frame["data"] else { return nil }
            let isBuffer = frame["isBuffer"]?.isTruthy ?? false
            guard isBuffer, let numbers = data["data"]?.array else {
                self = .data(data)
                return
            }
            self = .bytes(numbers.map { UInt8(truncatingIfNeeded: $0.int ?? 0) })
        case .some, .none: return nil
        }
    }
}

extension MessageWriter {
    /// The reply that opens a stream: frames with the same id follow.
    public static func streamStart(id: RPCID, to output: inout [UInt8]) {
        appendID(id, to: &output)
        appendText(",\"stream\":true,\"result\":{}", to: &output)
        appendText(end, to: &output)
    }

    /// One frame of an open stream. An error frame is a `failure` with the stream's id.
    public static func streamFrame(id: RPCID, _ frame: StreamFrame, to output: inout [UInt8]) {
        appendID(id, to: &output)
        switch frame {
        case .data(let value):
            appendText(",\"result\":{\"event\":\"data\",\"isBuffer\":false,\"data\":", to: &output)
            value.append(to: &output)
            appendText("}", to: &output)
        case .bytes(let bytes):
            appendText(",\"result\":{\"event\":\"data\",\"isBuffer\":true,\"data\":", to: &output)
            bytes.withUnsafeBytes { BufferText.append($0, to: &output) }
            appendText("}", to: &output)
        case .end: appendText(",\"result\":{\"event\":\"end\"},\"stream\":true", to: &output)
        }
        appendText(end, to: &output)
    }
}
