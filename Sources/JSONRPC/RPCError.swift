public import JSON

/// The `error` of a reply: ours, or a peer's with all its members, so that it can be passed on unchanged.
public struct RPCError: Error, Equatable, Sendable {
    /// The code of a failure: a number in JSON-RPC, a word in JavaScript.
    public enum Code: Equatable, Sendable {
        /// Such as -32601.
        case number(Int)
        /// Such as `ENOENT` or `INTERACT`.
        case word(String)
    }

    /// The error as it is written in a reply.
    public private(set) var json: JSONValue

    /// A peer's error. It need not be an object.
    public init(_ json: JSONValue) {
        self.json = json
    }

    /// A peer's error from the bytes of its `error` member.
    public init(raw: UnsafeRawBufferPointer) {
        do {
            json = try JSONValue(parsing: raw)
        } catch {
            json = ["code": -32603, "message": "the peer's error cannot be read: \(error)"]
        }
    }

    /// An error of our own; members that are nil are left out.
    public init(code: Int, message: String, data: JSONValue? = nil, statusCode: Int? = nil) {
        var members: JSONObject = ["code": JSONValue(code), "message": .string(message)]
        members["data"] = data
        members["statusCode"] = statusCode.map { JSONValue($0) }
        json = .object(members)
    }

    /// The `code`, or nil when the error has none.
    public var code: Code? {
        if let number = json["code"]?.int { return .number(number) }
        return json["code"]?.string.map(Code.word)
    }

    /// The failure in words, for people; the whole error as JSON when it has no `message`.
    public var message: String {
        json["message"]?.string ?? json.string ?? json.text
    }

    /// The kind of failure in HTTP's numbers, or nil when the error has none.
    public var statusCode: Int? { json["statusCode"]?.int }

    /// The member that JSON-RPC puts beside the message, or nil.
    public var data: JSONValue? { json["data"] }

    /// The JavaScript stack, or nil.
    public var stack: String? { json["stack"]?.string }

    /// The JavaScript name of the error's class, or nil.
    public var name: String? { json["name"]?.string }

    /// Any member, or nil when the error has none of that name.
    public subscript(member: String) -> JSONValue? { json[member] }

    /// The same error with one member set; an error that is no object becomes one with that as its message.
    public func adding(_ member: String, _ value: JSONValue) -> RPCError {
        var members = json.object ?? ["message": .string(message)]
        members[member] = value
        return RPCError(.object(members))
    }
}

extension RPCError: CustomStringConvertible {
    /// For people: the message, and the `info` that JSON-RPC's own errors carry.
    public var description: String {
        guard let info = data?["info"]?.string else { return message }
        return "\(message): \(info)"
    }
}
