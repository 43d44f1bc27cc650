public import JSON

/// `status [name|null]`: a row for each unit, the daemon first; or the one row of a unit.
public struct Status: DaemonCall, Equatable {
    /// The unit; nil for all.
    public var name: String?

    /// True when the rows are for a table of the reference's command line (`akala pm status -o table`).
    public var isForTable = false

    /// Asks for one unit or, with nil, for all.
    public init(name: String? = nil) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.status
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .status, doc: "Returns which services run, and how each one last ended", usage: "status [name]",
        sources: ["options.name", "options"])

    /// Reads `[name|null, {output}?]`; throws a 400 for a name that is no text.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.optionalText(0, "name"))
        isForTable = parameters[1]["output"]?.string == "table"
    }

    /// Parameters on the wire: `[name|null]`, and `{output: "table"}` for short rows.
    public var params: JSONValue {
        let name: JSONValue = name.map { .string($0) } ?? .null
        return isForTable ? [name, ["output": "table"]] : [name]
    }

    /// The rows.
    public typealias Answer = [UnitStatus]
}
