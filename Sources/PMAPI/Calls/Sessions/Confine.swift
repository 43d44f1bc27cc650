public import JSON

/// `confine []`: from now on this connection may only call services, and ask what there is; it cannot be taken back.
///
/// For those who lend a connection to somebody whom they trust less: pm-docker to a container.
public struct Confine: DaemonCall, Equatable {
    /// Asks for it.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.confine

    /// Not for people: it has no command line.
    public static let description = CommandDescription(
        .confine, doc: "Limits this connection to calls of services", usage: nil, sources: [])

    /// Takes whatever is sent.
    public init(_ parameters: Parameters) {}

    /// Parameters on the wire: `[]`.
    public var params: JSONValue { [] }

    /// Nothing: the next message is confined already.
    public typealias Answer = Nothing
}
