public import JSON
public import PMModel

/// `restart [name, options]`: stops a service, waits until its tree is gone, and starts it again.
public struct Restart: DaemonCall, Equatable {
    /// Name of the service.
    public var name: String
    /// Answer when it is ready, not when it is spawned.
    public var waits = false
    /// Answer a moment after the spawn: a program that ends by then has failed to start.
    public var settles = false
    /// Use of Node's inspector.
    public var inspection = Start.Inspection.none

    /// A plain restart.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.restart

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .restart, doc: "Stops a service and starts it again", usage: "restart <program>",
        sources: ["options.program", "options", "context"], options: Start.launchOptions + [Start.settleOption])

    /// Reads `[name, options]`, and `[null, context]` as the reference's command line sends it (the name is then
    /// `context.options.program`); throws a 400 for a missing name or a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        var options = try parameters.object(1, named: "options")
        if let inner = options["options"]?.object { options = inner }
        let program = try options.text("program")
        guard let name = try parameters.optionalText(0, "name") ?? program else {
            throw APIError.badRequest("restart needs the name of a service", hint: "pm ls")
        }
        self.init(name: name)
        waits = options.flag("wait")
        settles = options.flag("settle")
        inspection = try Start.Inspection(options)
    }

    /// Parameters on the wire: `[name, {options}]`.
    public var params: JSONValue {
        var options = JSONObject()
        if waits { options["wait"] = true }
        if settles { options["settle"] = true }
        inspection.add(to: &options)
        return [.string(name), .object(options)]
    }

    /// The same as for a start.
    public typealias Answer = Start.Answer
}
