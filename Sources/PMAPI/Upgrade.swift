public import JSON

/// `upgrade []`: the daemon's program is started anew; services, connections and calls under way go on.
public struct Upgrade: DaemonCall, Equatable {
    /// Asks for it.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.upgrade

    /// What is on the command line.
    public static let description = CommandDescription(
        .upgrade, doc: "Starts the daemon's program anew; services, connections and calls go on", usage: "upgrade",
        sources: [])

    /// Takes whatever is sent.
    public init(_ parameters: Parameters) {}

    /// `[]`.
    public var params: JSONValue { [] }

    /// Who was asked; the successor has another process id.
    public typealias Answer = Version.Answer
}
