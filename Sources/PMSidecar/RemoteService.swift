import JSON
import PMAPI

/// A service as a program in Swift calls it: commands by name, arguments and results as Codable values.
///
/// A task that is cancelled cancels its call: the service gets `$/cancel`, and the call throws `CancellationError`.
public struct RemoteService: Sendable {
    /// Name of the service.
    public let name: String
    private let link: ServiceLink
    private let options: CallOptions

    init(_ name: String, _ link: ServiceLink, _ options: CallOptions) {
        self.name = name
        self.link = link
        self.options = options
    }

    /// The same service with other options for all its calls.
    public func with(_ options: CallOptions) -> RemoteService { RemoteService(name, link, options) }

    /// Calls a command and decodes its result; void decodes as nil.
    ///
    /// - Throws: `CallError` with whatever the service answered, 502 when the result is something else than `Reply`, 504
    ///   after the deadline, 503 with `retry` when the connection was lost; `CancellationError`; an `EncodingError`.
    public func dispatch<Reply: Decodable, each Argument: Encodable>(
        _ command: String, _ arguments: repeat each Argument
    ) async throws -> Reply {
        let params = try Coding.params(repeat each arguments)
        return try Coding.decode(
            Reply.self, from: try await link.call(command, params, options), of: "\(name).\(command)")
    }

    /// Calls a command that has no result, or whose result does not matter.
    ///
    /// - Throws: as the other `dispatch`, but for the result.
    public func dispatch<each Argument: Encodable>(
        _ command: String, _ arguments: repeat each Argument
    ) async throws {
        _ = try await link.call(command, try Coding.params(repeat each arguments), options)
    }

    /// Calls a command that streams its result. Who leaves the loop, or is cancelled, ends the stream.
    ///
    /// - Throws: an `EncodingError`; the loop throws what the service says, and what `dispatch` throws.
    public func stream<Element: Decodable & Sendable, each Argument: Encodable>(
        _ command: String, _ arguments: repeat each Argument, of type: Element.Type = Element.self
    ) throws -> AsyncThrowingStream<Element, any Error> {
        let params = try Coding.params(repeat each arguments)
        let (pieces, place) = AsyncThrowingStream.makeStream(of: Element.self)
        let task = Task { [link, name] in
            do {
                for try await piece in try await link.stream(command, params) {
                    place.yield(try Coding.decode(type, from: piece, of: "\(name).\(command)"))
                }
                place.finish()
            } catch {
                place.finish(throwing: error)
            }
        }
        place.onTermination = { _ in task.cancel() }
        return pieces
    }

    /// The commands it has, by their names.
    ///
    /// - Throws: as `dispatch`.
    public var commands: [String] {
        get async throws {
            let answer = try await link.call("$metadata", [true], options)
            return try ServiceMetadata(json: JSONValue(parsing: answer)).commands.map(\.name)
        }
    }
}
