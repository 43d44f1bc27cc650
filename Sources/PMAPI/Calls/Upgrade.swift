public import JSON

/// `upgrade [options]`: the daemon's program is started again; services, connections and calls under way go on.
public struct Upgrade: DaemonCall, Equatable {
    /// Replace pm-init, too: the process that holds the services goes on as its program on disk.
    public var includesInit = false

    /// Asks for the daemon alone.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.upgrade

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .upgrade, doc: "Replaces the daemon by the program on disk; services, connections and calls go on",
        usage: "upgrade",
        sources: ["options"], options: [.init("init", doc: "replace pm-init, too; its process id stays the same")])

    /// Reads `[options]`; throws a 400 for a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        includesInit = try parameters.object(0, named: "options").flag("init")
    }

    /// Parameters on the wire: `[]` or `[{init: true}]`.
    public var params: JSONValue { includesInit ? [["init": true]] : [] }

    /// The old daemon; the successor has another process id.
    public typealias Answer = Version.Answer
}
