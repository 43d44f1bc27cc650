public import JSON

/// `proxy [name]`: everything that follows on this connection is for that service, end to end.
public struct Proxy: DaemonCall, Equatable {
    /// Name of the service.
    public var name: String

    /// Asks for the service of a name.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.proxy

    /// No command: it is about a connection.
    public static let description = CommandDescription(
        .proxy, doc: "Turns this connection into a connection to a service", usage: nil, sources: ["options.name"])

    /// Reads `[name]`; throws a 400 without a name.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.text(0, "name"))
    }

    /// Parameters on the wire: `[name]`.
    public var params: JSONValue { [.string(name)] }

    /// Nothing: the answer is the last thing that the daemon itself says on the connection.
    public typealias Answer = Nothing
}
