public import JSON

/// `ready [metadata?]`: a service says that it serves, and what.
public struct Ready: DaemonCall, Equatable {
    /// Its commands; nil when the daemon shall ask for them.
    public var metadata: ServiceMetadata?

    /// Says that the service serves.
    public init(metadata: ServiceMetadata? = nil) { self.metadata = metadata }

    /// The method's name on the wire.
    public static let method = Method.ready

    /// Not for people: it has no command line.
    public static let description = CommandDescription(
        .ready, doc: "A service says that it serves", usage: nil, sources: ["options.metadata"])

    /// Reads `[]`, `[null]` or `[metadata]`; throws a 400 for metadata of another shape.
    public init(_ parameters: Parameters) throws(APIError) {
        guard let entry = parameters.positional.first, entry.object != nil else { return }
        do throws(APIError) {
            metadata = try ServiceMetadata(json: entry)
        } catch {
            // It is a 502 about an answer, and this is a request.
            throw APIError.badRequest("the metadata given to ready needs name and commands")
        }
    }

    /// `[]` or `[metadata]`.
    public var params: JSONValue { metadata.map { [$0.json] } ?? [] }

    /// Nothing to say.
    public typealias Answer = Nothing
}
