import JSON

/// One line from a peer, understood. Everything in it points into the line and is good until the line is given up.
public enum Message {
    /// A request or a notification.
    case request(RPCRequest)
    /// The answer to a request of ours, or a frame of a stream.
    case reply(RPCReply)
    /// Several messages; each is handled, and answered, as if it had come alone.
    case batch(RPCBatch)

    /// Reads a line (without its end) without copying or allocating. Throws what the peer is to be answered.
    public static func scan(_ line: UnsafeRawBufferPointer) throws(MalformedMessage) -> Message {
        let envelope = try read(line)
        return envelope.shape == .array ? .batch(try RPCBatch(line)) : try classify(envelope)
    }

    /// Reads one element of a batch; a batch in a batch is no message.
    public static func scan(element: UnsafeRawBufferPointer) throws(MalformedMessage) -> Message {
        try classify(try read(element))
    }

    private static func read(_ line: UnsafeRawBufferPointer) throws(MalformedMessage) -> Envelope {
        do {
            return try Envelope(line)
        } catch {
            throw MalformedMessage(.parseError(error), id: .unreadable, kind: .unreadable)
        }
    }

    /// The reference's checks, in its order.
    private static func classify(_ envelope: Envelope) throws(MalformedMessage) -> Message {
        let id = envelope.raw(envelope.id)
        guard let version = envelope.raw(envelope.jsonrpc), isVersion2(version) else {
            throw MalformedMessage(.notJSONRPC2, id: id.flatMap { isValidID($0) ? RPCID(raw: $0) : nil })
        }
        return envelope.method.isPresent
            ? .request(try RPCRequest(envelope, id: id))
            : .reply(try RPCReply(envelope, id: id))
    }

    private static func isVersion2(_ raw: UnsafeRawBufferPointer) -> Bool {
        if isText(raw, "\"2.0\"") { return true }
        // Written with escapes it is the same string. Already scanned: reading it cannot fail.
        return raw.contains(UInt8(ascii: "\\")) && (try? JSONValue(parsing: raw)) == "2.0"
    }
}

extension RPCError {
    static let notJSONRPC2 = invalidRequest("jsonrpc must be exactly \"2.0\"")
    static let badID = invalidRequest("id, if provided, must be one of: null, string, number")
    static let longID = invalidRequest("id must be of at most \(RPCID.longest) bytes")
}

/// True when JSON-RPC allows an id of this type.
func isValidID(_ raw: UnsafeRawBufferPointer) -> Bool {
    guard let first = raw.first else { return false }
    switch first {
    case UInt8(ascii: "\""), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "n"): return true
    default: return false
    }
}

/// A line that is no message, and the error it is answered with.
public struct MalformedMessage: Error {
    /// The probable kind of the line.
    public enum Kind: Equatable, Sendable {
        /// Not JSON.
        case unreadable
        /// A request, or a line that could be one.
        case request
        /// An answer: what waits for `id` will get no other and must be failed by the session.
        case reply
    }

    /// The error to answer with.
    public let error: RPCError
    /// The id for the answer; nil leaves it out.
    public let id: RPCID?
    /// The probable kind of the line: an answer to a broken answer would never end.
    public let kind: Kind

    /// Rejects a line.
    public init(_ error: RPCError, id: RPCID?, kind: Kind = .request) {
        self.error = error
        self.id = id
        self.kind = kind
    }
}
