public import JSON

/// `ready [metadata?]`: a service says that it serves, and what.
public struct Ready: DaemonCall, Equatable {
    /// Commands of the service; nil when the daemon shall ask for them.
    public var metadata: ServiceMetadata?

    /// Says that the service serves.
    public init(metadata: ServiceMetadata? = nil) { self.metadata = metadata }

    /// The method's name on the wire.
    public static let method = Method.ready

    /// Not for people: it has no command line.
    public static let description = CommandDescription(
        .ready, doc: "Reports that the calling service is ready", usage: nil, sources: ["options.metadata"])

    /// Reads `[]`, `[null]` or `[metadata]`; throws a 400 for metadata of another shape.
    public init(_ parameters: Parameters) throws(APIError) {
        guard let entry = parameters.positional.first, entry.object != nil else { return }
        do throws(APIError) {
            metadata = try ServiceMetadata(json: entry)
        } catch {
            // The error is a 502 for an answer, and this is a request.
            throw APIError.badRequest("the metadata given to ready needs name and commands")
        }
    }

    /// Parameters on the wire: `[]` or `[metadata]`.
    public var params: JSONValue { metadata.map { [$0.json] } ?? [] }

    /// No result.
    public typealias Answer = Nothing
}
