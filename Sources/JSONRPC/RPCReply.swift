public import JSON

/// An answer from a peer, or a frame of a stream; it points into its line.
public struct RPCReply {
    /// The outcome of the call.
    public enum Outcome {
        /// The call returned this value, as it was written.
        case result(UnsafeRawBufferPointer)
        /// The call returned nothing (`"error":null`).
        case void
        /// The call failed with this error, as it was written.
        case error(UnsafeRawBufferPointer)

        /// The length of the outcome in bytes.
        var size: Int {
            switch self {
            case .result(let raw), .error(let raw): raw.count
            case .void: 0
            }
        }
    }

    /// The id of the request, as bytes.
    public let id: UnsafeRawBufferPointer
    /// The outcome of the call.
    public let outcome: Outcome
    /// True when more replies with this id follow; on a frame with `end`, true when it ended a stream.
    public let isStream: Bool

    /// The id as `PendingCalls` gave it out, or nil when it is none of those.
    public var internalID: UInt64? { PendingCallID.parse(id) }

    /// Bytes of its value or error.
    public var size: Int {
        switch outcome {
        case .result(let raw), .error(let raw): raw.count
        case .void: 0
        }
    }

    /// A copy of the id that outlives the line.
    public var ownedID: RPCID { RPCID(raw: id) }

    init(_ envelope: Envelope, id: UnsafeRawBufferPointer?) throws(MalformedMessage) {
        guard let id, isValidID(id) else { throw MalformedMessage(.badID, id: nil, kind: .reply) }
        self.id = id
        isStream = envelope.isStream
        switch (envelope.raw(envelope.result), envelope.raw(envelope.error)) {
        case (let result?, nil): outcome = .result(result)
        // The reference takes a falsy error for success.
        case (let result?, let error?) where isFalsy(error): outcome = .result(result)
        case (nil, let error?) where isFalsy(error): outcome = .void
        case (nil, let error?): outcome = .error(error)
        case (let result?, let error?) where isText(result, "null"): outcome = .error(error)
        case (nil, nil), (.some, .some):
            throw MalformedMessage(
                .invalidRequest("replies must have either a result or error"), id: RPCID(raw: id), kind: .reply)
        }
    }

    /// The result as a value (`null` for void), or the error thrown. Throws also when the result cannot be read.
    public func value() throws(RPCError) -> JSONValue {
        switch outcome {
        case .void: return .null
        case .error(let raw): throw RPCError(raw: raw)
        case .result(let raw):
            do {
                return try JSONValue(parsing: raw)
            } catch {
                throw .parseError(error)
            }
        }
    }
}
