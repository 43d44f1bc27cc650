public import JSON
public import JSONRPC

/// Why a call failed, as the wire carries it and as a person needs it.
public struct APIError: Error, Equatable, Sendable {
    /// The kind of failure, numbered as in HTTP: 400 bad input, 403 not permitted, 404 not found, 409 conflict,
    /// 502 service failed, 503 stopping, 504 took too long; a service may use any other.
    public var statusCode: Int
    /// The failed operation, its object and the cause.
    public var message: String
    /// The next step, when there is one.
    public var hint: String?
    /// The service's last lines of output, oldest first, when it failed.
    public var output: [String]
    /// The `code` a service or the JSON-RPC layer gave: a string or a number.
    public var code: JSONValue?
    /// All other members of the error, in order (`name`, `stack`, `data`, `as`…).
    public var details: JSONObject

    /// Makes an error of a kind.
    public init(_ statusCode: Int, _ message: String, hint: String? = nil, output: [String] = []) {
        self.statusCode = statusCode
        self.message = message
        self.hint = hint
        self.output = output
        code = nil
        details = JSONObject()
    }

    /// Invalid input (400).
    public static func badRequest(_ message: String, hint: String? = nil) -> Self { Self(400, message, hint: hint) }
    /// Something the caller may not do (403).
    public static func notPermitted(_ message: String, hint: String? = nil) -> Self { Self(403, message, hint: hint) }
    /// Something that is not there (404).
    public static func notFound(_ message: String, hint: String? = nil) -> Self { Self(404, message, hint: hint) }
    /// Something that is there already, or in another state than needed (409).
    public static func conflict(_ message: String, hint: String? = nil) -> Self { Self(409, message, hint: hint) }
    /// A failure of the daemon itself (500).
    public static func internalFailure(_ message: String) -> Self { Self(500, message) }
    /// A service that failed, with its last lines of output (502).
    public static func serviceFailed(_ message: String, output: [String] = [], hint: String? = nil) -> Self {
        Self(502, message, hint: hint, output: output)
    }
    /// A daemon or service on its way down (503).
    public static func stopping(_ message: String, hint: String? = nil) -> Self { Self(503, message, hint: hint) }
    /// An answer that is lost because the daemon was replaced or ended (503): whether it was done is not known, and asking
    /// again makes sense, which `retry` tells programs.
    public static func interrupted(_ message: String, hint: String? = nil) -> Self {
        var error = Self(503, message, hint: hint)
        error.code = "PM_RESTARTED"
        error.details["retry"] = true
        return error
    }
    /// Something that took too long (504).
    public static func timeout(_ message: String, output: [String] = [], hint: String? = nil) -> Self {
        Self(504, message, hint: hint, output: output)
    }

    /// An answer of the other side that has another shape than the protocol says (502).
    static func malformedAnswer(_ expected: String, _ json: JSONValue) -> Self {
        Self(502, "cannot read the daemon's answer: \(expected), not \(json.kind)", hint: "pm version")
    }
}

extension APIError: WireValue {
    /// Reads the `error` member of a reply; any shape is an error.
    public init(json: JSONValue) {
        guard var members = json.object else {
            self.init(500, json.string ?? json.text)
            return
        }
        let code = members["code"] == .null ? nil : members["code"]
        let info = members["data"]?["info"]?.string
        let message = members["message"]?.string ?? json.text
        let status = members["statusCode"]?.int ?? Self.statusCode(forRPCCode: code?.int)
        self.init(status, info.map { "\(message): \($0)" } ?? message)
        self.code = code
        hint = members["hint"]?.string
        output = (members["output"]?.array ?? []).compactMap(\.string)
        for known in ["statusCode", "code", "message", "hint", "output"] { members[known] = nil }
        if info != nil { members["data"] = nil }
        details = members
    }

    /// The error object. `stack` is always there: clients of the reference revive an error only when it has one.
    public var json: JSONValue {
        var members = JSONObject()
        members["statusCode"] = .number(JSONNumber(statusCode))
        if let code { members["code"] = code }
        members["message"] = .string(message)
        if let hint { members["hint"] = .string(hint) }
        if !output.isEmpty { members["output"] = .array(output.map { .string($0) }) }
        for (key, value) in details { members[key] = value }
        if members["stack"] == nil { members["stack"] = .string("Error: \(message)") }
        return .object(members)
    }

    /// The exit code of a command that failed with it.
    public var exitCode: ExitCode { ExitCode(statusCode: statusCode) }

    /// The status of an error that has only a JSON-RPC code (JSON-RPC 2.0, section 5.1).
    private static func statusCode(forRPCCode code: Int?) -> Int {
        switch code {
        case -32601: 404
        case -32700, -32600, -32602: 400
        case .some, nil: 500
        }
    }
}

extension APIError {
    /// The error of a reply, understood.
    public init(_ error: RPCError) { self.init(json: error.json) }

    /// The error as the reply carries it.
    public var rpc: RPCError { RPCError(json) }
}
