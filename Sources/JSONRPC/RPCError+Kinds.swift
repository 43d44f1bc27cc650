public import JSON

/// JSON-RPC's own errors, written as the reference (@akala/pm) writes them.
extension RPCError {
    /// -32700: the bytes are not JSON.
    public static func parseError(_ error: JSONError) -> RPCError {
        protocolError(-32700, "Parse error", info: error.description)
    }

    /// -32600: it is JSON but no message.
    public static func invalidRequest(_ info: String) -> RPCError {
        protocolError(-32600, "Invalid Request", info: info)
    }

    /// -32600: nothing waits for a reply with this id. Never answer an error reply with this: the peer would answer again.
    public static func noResponseHandler(_ id: RPCID) -> RPCError {
        invalidRequest("no response handler for id \(id)")
    }

    /// -32601: there is no such method.
    public static func methodNotFound(_ name: String) -> RPCError {
        protocolError(-32601, "Method not found", info: "no handler found for method \(name)")
    }

    /// True when JSON-RPC itself defines the error: such answers begin with `error`, those of handlers with `id`.
    public var isProtocolError: Bool {
        if case .number(-32700 ... -32600) = code { true } else { false }
    }

    private static func protocolError(_ code: Int, _ message: String, info: String) -> RPCError {
        RPCError(code: code, message: message, data: ["info": .string(info)])
    }
}

/// Failures of what was called. All share the code -32000, the first that JSON-RPC leaves to servers.
extension RPCError {
    /// A failure with a status in HTTP's numbers.
    public static func status(_ statusCode: Int, _ message: String) -> RPCError {
        RPCError(code: -32000, message: message, statusCode: statusCode)
    }

    /// 400: the input of the call is invalid.
    public static func badRequest(_ message: String) -> RPCError { status(400, message) }

    /// 404: there is no such thing.
    public static func notFound(_ message: String) -> RPCError { status(404, message) }

    /// 409: it is already so.
    public static func conflict(_ message: String) -> RPCError { status(409, message) }

    /// 499: the caller has cancelled the call.
    public static func cancelled(_ message: String) -> RPCError {
        RPCError([
            "message": .string(message), "statusCode": 499, "code": "CANCELLED", "stack": .string("Error: \(message)"),
        ])
    }

    /// 500: our own failure.
    public static func internalError(_ message: String) -> RPCError { status(500, message) }

    /// 502: a service failed.
    public static func serviceFailed(_ message: String) -> RPCError { status(502, message) }

    /// 503: stopping, or not yet serving.
    public static func unavailable(_ message: String) -> RPCError { status(503, message) }

    /// 504: it took too long.
    public static func timedOut(_ message: String) -> RPCError { status(504, message) }
}
