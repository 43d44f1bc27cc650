public import JSON

/// `plugins [name|null]`: a row for each plugin of the configuration.
public struct Plugins: DaemonCall, Equatable {
    /// The plugin; nil for all.
    public var name: String?

    /// Asks for one plugin or, with nil, for all.
    public init(name: String? = nil) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.plugins
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .plugins, doc: "Returns the plugins, what they offer, and what is wrong with them", usage: "plugins [name]",
        sources: ["options.name"])

    /// Reads `[name|null]`; throws a 400 for a name that is no text.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.optionalText(0, "name"))
    }

    /// Parameters on the wire: `[name|null]`.
    public var params: JSONValue { [name.map { .string($0) } ?? .null] }

    /// The rows, in the order of the configuration.
    public typealias Answer = [PluginStatus]
}
