public import JSON

/// `upgrade [options]`: the daemon's program is started again; services, connections and calls under way go on.
public struct Upgrade: DaemonCall, Equatable {
    /// Replace pm-init, too: the process that holds the services goes on as its program on disk.
    public var includesInit = false

    /// Asks for the daemon alone.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.upgrade

    /// What is on the command line.
    public static let description = CommandDescription(
        .upgrade, doc: "Starts the daemon's program again; services, connections and calls go on", usage: "upgrade",
        sources: ["options"], options: [.init("init", doc: "Replace pm-init, too, in place")])

    /// Reads `[options]`; throws a 400 for a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        includesInit = try parameters.object(0, named: "options").flag("init")
    }

    /// `[]` or `[{init: true}]`.
    public var params: JSONValue { includesInit ? [["init": true]] : [] }

    /// Who was asked; the successor has another process id.
    public typealias Answer = Version.Answer
}
