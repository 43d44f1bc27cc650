public import JSON

/// A call of a service's command through the daemon: method `SERVICE.COMMAND`.
public struct Call: Equatable, Sendable {
    /// Name of the service; empty for a command of a plugin.
    public var service: String
    /// The command; it may contain dots itself (`sub.command`).
    public var command: String
    /// The parameters, handed to the service as they stand.
    public var params: JSONValue

    /// Makes a call.
    public init(service: String, command: String, params: JSONValue) {
        self.service = service
        self.command = command
        self.params = params
    }

    /// A call of a command that a plugin adds to pm.
    public static func plugin(_ command: String, _ params: JSONValue) -> Call {
        Call(service: "", command: command, params: params)
    }

    /// True for a command of a plugin, which belongs to no service.
    public var isOfPlugin: Bool { service.isEmpty }

    /// The method on the wire.
    public var method: String { isOfPlugin ? command : "\(service).\(command)" }
}

/// A service asks the person at the terminal: the error `{code: "INTERACT", message, as}`.
public struct Interaction: Equatable, Sendable {
    /// The question.
    public var message: String
    /// The option that the answer fills; nil: it is appended to the arguments.
    public var option: String?

    /// Makes a question.
    public init(message: String, option: String? = nil) {
        self.message = message
        self.option = option
    }

    /// The question that an error stands for; nil when it is a real error.
    public init?(_ error: APIError) {
        guard error.code == "INTERACT" else { return nil }
        message = error.message
        option = error.details["as"]?.string
    }

    /// The error that asks the question.
    public var error: APIError {
        var error = APIError(500, message)
        error.code = "INTERACT"
        if let option { error.details["as"] = .string(option) }
        return error
    }
}
