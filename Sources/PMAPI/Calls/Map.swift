public import JSON
public import PMModel

/// `map [name, path, runtime, cwd, options]`: registers a definition.
public struct Map: DaemonCall, Equatable {
    /// The name to register.
    public var name: String
    /// The definition; its path may be relative to `cwd`.
    public var definition: ContainerDefinition
    /// The caller's working directory; nil: the daemon's.
    public var cwd: String?

    /// Registers a definition; a relative path is taken from `cwd`.
    public init(name: String, definition: ContainerDefinition, cwd: String? = nil) {
        self.name = name
        self.definition = definition
        self.cwd = cwd
    }

    /// The method's name on the wire.
    public static let method = Method.map

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .map, doc: "Registers a definition", usage: "map <name> <path>",
        sources: ["options.name", "options.path", "options.runtime", "context.currentWorkingDirectory", "options"],
        options: [
            .init("commandable", aliases: ["c"], doc: "the program answers JSON-RPC"),
            .init("stateless", aliases: ["s"], doc: "several instances may run at once"),
            .init("runtime", aliases: ["r"], value: true, doc: "nodejs, worker or docker"),
        ])

    /// Reads `[name, path, runtime, cwd, options]`; throws a 400 for a missing name or path or an unknown runtime.
    public init(_ parameters: Parameters) throws(APIError) {
        let options = try parameters.object(4, named: "options")
        let named = try options.text("runtime")
        let runtime = try parameters.optionalText(2, "runtime") ?? named ?? RuntimeKind.nodejs.rawValue
        guard let kind = RuntimeKind(rawValue: runtime) else {
            let known = RuntimeKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError.badRequest("there is no runtime \(runtime)", hint: "the runtimes are \(known)")
        }
        let path = try parameters.text(1, "path")
        self.init(
            name: try parameters.text(0, "name"),
            definition: ContainerDefinition(
                path: path, runtime: kind, isCommandable: options.flag("commandable"),
                isStateless: options.flag("stateless")),
            cwd: try parameters.optionalText(3, "cwd"))
    }

    /// Parameters on the wire: `[name, path, runtime, cwd|null, {options}]`.
    public var params: JSONValue {
        var options = JSONObject()
        if definition.isCommandable { options["commandable"] = true }
        if definition.isStateless { options["stateless"] = true }
        return [
            .string(name), .string(definition.path), .string(definition.runtime.rawValue),
            cwd.map { .string($0) } ?? .null, .object(options),
        ]
    }

    /// The name under which it is registered.
    public typealias Answer = String
}
