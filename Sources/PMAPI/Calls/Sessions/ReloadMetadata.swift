public import JSON

/// `reload-metadata [name]`: a service reads its commands again, and they are published. A service may leave out its own name.
public struct ReloadMetadata: DaemonCall, Equatable {
    /// The service; nil for the one that asks.
    public var name: String?

    /// Asks for it.
    public init(name: String?) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.reloadMetadata

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .reloadMetadata, doc: "Makes a service read its list of commands again", usage: "reload-metadata <name>",
        sources: ["options.name"])

    /// Reads `[name]`; throws a 400 for a name that is none.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.optionalText(0, "name"))
    }

    /// Parameters on the wire: `[name]`.
    public var params: JSONValue { name.map { [.string($0)] } ?? [] }

    /// The new commands of the service.
    public typealias Answer = ServiceMetadata
}
