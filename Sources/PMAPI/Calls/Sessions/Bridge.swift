public import JSON

/// `bridge [id]`: a service offers this connection as the other end of a bridge that it was told of by `$bridge [id]`.
public struct Bridge: DaemonCall, Equatable {
    /// The bridge's name.
    public var id: String

    /// Offers an end for the bridge of a name.
    public init(id: String) { self.id = id }

    /// The method's name on the wire.
    public static let method = Method.bridge

    /// No command: it is about a connection.
    public static let description = CommandDescription(
        .bridge, doc: "Makes this connection the other end of a bridge", usage: nil, sources: ["options.id"])

    /// Reads `[id]`; throws a 400 without one.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(id: try parameters.text(0, "id"))
    }

    /// Parameters on the wire: `[id]`.
    public var params: JSONValue { [.string(id)] }

    /// `true`: the last thing that the daemon itself says on the connection.
    public typealias Answer = JSONValue
}
