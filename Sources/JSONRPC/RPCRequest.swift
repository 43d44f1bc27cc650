/// A call from a peer; it points into its line.
public struct RPCRequest {
    /// The id to answer with, as bytes; nil for a notification, which is never answered.
    public let id: UnsafeRawBufferPointer?
    /// The called method.
    public private(set) var method: RPCMethod
    /// The parameters as they were written (array, object or `null`), or nil when there are none.
    public private(set) var params: UnsafeRawBufferPointer?
    /// True when frames of a stream follow under the same id.
    public let isStream: Bool

    /// True when the caller wants no answer.
    public var isNotification: Bool { id == nil }

    /// A copy of the id that outlives the line; nil for a notification.
    public var ownedID: RPCID? { id.map { RPCID(raw: $0) } }

    /// The same call with other parameters, an array or an object; the caller keeps their bytes for as long as the request.
    public func with(params: UnsafeRawBufferPointer) -> RPCRequest {
        var request = self
        request.params = params
        return request
    }

    /// The request with another method and other parameters, valid as long as those bytes are.
    public func with(method: RPCMethod, params: UnsafeRawBufferPointer) -> RPCRequest {
        var request = with(params: params)
        request.method = method
        return request
    }

    init(_ envelope: Envelope, id: UnsafeRawBufferPointer?) throws(MalformedMessage) {
        if let id, !isValidID(id) { throw MalformedMessage(.badID, id: nil) }
        // The code that answers keeps the id until then.
        if let id, id.count > RPCID.longest { throw MalformedMessage(.longID, id: nil) }
        guard let name = envelope.raw(envelope.method), name.first == UInt8(ascii: "\"") else {
            throw MalformedMessage(.invalidRequest("method must be a string"), id: id.map { RPCID(raw: $0) })
        }
        params = envelope.raw(envelope.params)
        if let first = params?.first, first != UInt8(ascii: "["), first != UInt8(ascii: "{"), first != UInt8(ascii: "n")
        {
            throw MalformedMessage(
                .invalidRequest("params, if provided, must be one of: null, object, array"),
                id: id.map { RPCID(raw: $0) })
        }
        self.id = id?.first == UInt8(ascii: "n") ? nil : id
        method = RPCMethod(
            raw: UnsafeRawBufferPointer(rebasing: name[1..<name.count - 1]), hasEscapes: envelope.methodHasEscapes)
        isStream = envelope.isStream
    }
}

extension Envelope {
    /// True when the member `stream` is set.
    var isStream: Bool { raw(stream).map { !isFalsy($0) } ?? false }
}

/// True for values that count as false in JavaScript (numbers are recognised in their usual spelling).
func isFalsy(_ raw: UnsafeRawBufferPointer) -> Bool {
    isText(raw, "null") || isText(raw, "false") || isText(raw, "0") || isText(raw, "\"\"")
}
