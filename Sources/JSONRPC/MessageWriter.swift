public import JSON

/// Appends whole messages, each ended by `\n`, in the reference's key order. What is given as bytes is copied as it is.
public enum MessageWriter {
    /// A request of ours; params that are nil are left out.
    public static func request(
        id: UInt64, method: String, params: JSONValue? = nil, to output: inout [UInt8]
    ) {
        appendID(id, to: &output)
        appendText(",\"method\":", to: &output)
        appendJSONString(method, to: &output)
        appendParams(params, to: &output)
        appendText(end, to: &output)
    }

    /// A request of ours; `write` appends the JSON of its parameters.
    public static func request<Failure: Error>(
        id: UInt64, method: String, to output: inout [UInt8], _ write: (inout [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        appendID(id, to: &output)
        appendText(",\"method\":", to: &output)
        appendJSONString(method, to: &output)
        appendText(",\"params\":", to: &output)
        try write(&output)
        appendText(end, to: &output)
    }

    /// A notification of ours; params that are nil are left out.
    public static func notification(method: String, params: JSONValue? = nil, to output: inout [UInt8]) {
        appendText("{\"method\":", to: &output)
        appendJSONString(method, to: &output)
        appendParams(params, to: &output)
        appendText(end, to: &output)
    }

    /// A peer's request passed on under another id and method name (a nil id makes it a notification).
    public static func relay(
        _ request: RPCRequest, id: UInt64?, method: RPCMethod, to output: inout [UInt8]
    ) {
        let size = method.raw.count + (request.params?.count ?? 0)
        MessageSpace.append(to: &output, size) { space in
            space.put("{")
            if let id {
                space.put("\"id\":")
                space.put(decimal: id)
                space.put(",")
            }
            space.put("\"method\":\"")
            space.put(method.raw)
            space.put("\"")
            if request.isStream { space.put(",\"stream\":true") }
            if let params = request.params {
                space.put(",\"params\":")
                space.put(params)
            }
            space.put(end)
        }
    }

    /// A peer's reply, or frame of a stream, passed on under another id.
    public static func relay(_ reply: RPCReply, id: RPCID, to output: inout [UInt8]) {
        id.withBytes { id in
            MessageSpace.append(to: &output, id.count + reply.outcome.size) { space in
                space.put("{\"id\":")
                space.put(id)
                if reply.isStream { space.put(",\"stream\":true") }
                switch reply.outcome {
                case .result(let raw):
                    space.put(",\"result\":")
                    space.put(raw)
                case .void: space.put(",\"error\":null")
                case .error(let raw):
                    space.put(",\"error\":")
                    space.put(raw)
                }
                space.put(end)
            }
        }
    }

    /// A result as bytes of JSON.
    public static func reply(id: RPCID, result raw: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        appendID(id, to: &output)
        appendText(",\"result\":", to: &output)
        output.append(contentsOf: raw)
        appendText(end, to: &output)
    }

    /// A result; `null` is written as nothing (`void`), as in the reference, while 0, `false` and `""` are kept.
    public static func reply(id: RPCID, result: JSONValue, to output: inout [UInt8]) {
        if result.isNull { return void(id: id, to: &output) }
        appendID(id, to: &output)
        appendText(",\"result\":", to: &output)
        result.append(to: &output)
        appendText(end, to: &output)
    }

    /// The answer of a call that returns nothing: `"error":null`, which clients of the reference take for success.
    public static func void(id: RPCID, to output: inout [UInt8]) {
        appendID(id, to: &output)
        appendText(",\"error\":null", to: &output)
        appendText(end, to: &output)
    }

    /// The answer of a call that failed. JSON-RPC's own errors begin with `error`, those of handlers with `id`.
    public static func failure(id: RPCID, _ error: RPCError, to output: inout [UInt8]) {
        if error.isProtocolError { return rejection(id: id, error, to: &output) }
        appendID(id, to: &output)
        appendText(",\"error\":", to: &output)
        error.json.append(to: &output)
        appendText(end, to: &output)
    }

    /// The answer to a line that was no message; without an id the member is left out.
    public static func rejection(id: RPCID?, _ error: RPCError, to output: inout [UInt8]) {
        appendText("{\"error\":", to: &output)
        error.json.append(to: &output)
        if let id {
            appendText(",\"id\":", to: &output)
            id.withBytes { output.append(contentsOf: $0) }
        }
        appendText(end, to: &output)
    }

    /// The answer to a line that was no message.
    public static func rejection(_ rejected: MalformedMessage, to output: inout [UInt8]) {
        rejection(id: rejected.id, rejected.error, to: &output)
    }
}

extension MessageWriter {
    static var end: StaticString { ",\"jsonrpc\":\"2.0\"}\n" }

    static func appendID(_ id: RPCID, to output: inout [UInt8]) {
        appendText("{\"id\":", to: &output)
        id.withBytes { output.append(contentsOf: $0) }
    }

    static func appendID(_ id: UInt64, to output: inout [UInt8]) {
        appendText("{\"id\":", to: &output)
        appendDecimal(id, to: &output)
    }

    static func appendText(_ text: StaticString, to output: inout [UInt8]) {
        output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func appendParams(_ params: JSONValue?, to output: inout [UInt8]) {
        guard let params else { return }
        appendText(",\"params\":", to: &output)
        params.append(to: &output)
    }

    /// Digits without the allocation of a string.
    static func appendDecimal(_ number: UInt64, to output: inout [UInt8]) {
        MessageSpace.append(to: &output, 0) { $0.put(decimal: number) }
    }
}
