import JSON
import PMAPI

/// The connection to one service, made when it is needed and made again when it was lost.
actor ServiceLink {
    private let connect: @Sendable () async throws(APIError) -> Wire
    private var wire: Wire?
    /// The connection attempt for which all callers wait.
    private var opening: Task<Wire, any Error>?
    /// The number of times that an idempotent call is repeated.
    private static let repetitions = 3

    init(_ connect: @escaping @Sendable () async throws(APIError) -> Wire) {
        self.connect = connect
    }

    deinit {
        wire?.close()
    }

    /// Connects unless it is connected.
    func open() async throws(APIError) {
        _ = try await current()
    }

    /// Makes a call; the bytes of its result.
    func call(_ command: String, _ params: JSONValue, _ options: CallOptions) async throws -> [UInt8] {
        var left = options.isIdempotent ? Self.repetitions : 0
        while true {
            do {
                return try await current().call(command, params, deadline: options.deadline)
            } catch let error as APIError where left > 0 && error.isRetriable {
                left -= 1
            }
        }
    }

    /// Makes a call whose result is streamed; the bytes of each piece.
    func stream(_ command: String, _ params: JSONValue) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await current().stream(command, params)
    }

    private func current() async throws(APIError) -> Wire {
        if let wire, await wire.isOpen { return wire }
        let task = opening ?? Task { [connect] in try await connect() }
        opening = task
        defer { opening = nil }
        do {
            let made = try await task.value
            wire = made
            return made
        } catch let error as APIError {
            throw error
        } catch {
            throw .interrupted("the connection attempt was given up: \(error)")
        }
    }
}

extension APIError {
    /// True when the same call may succeed when it is repeated.
    var isRetriable: Bool { details["retry"] == true }
}
