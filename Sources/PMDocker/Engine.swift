import JSON
import NIOCore
import NIOHTTP1
import NIOPosix
import PMSystem

/// The engine: each request has a connection of its own, which costs little on a unix socket and fails alone.
struct Engine: Sendable {
    private typealias EngineConnection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    private let path: String
    private let group: any EventLoopGroup
    /// Time for an answer that is not a stream.
    private let answerTimeout: Duration
    /// An answer that is not a stream is no longer.
    private static let longestAnswer = 16 << 20

    init(_ location: EngineLocation, on group: any EventLoopGroup, answerTimeout: Duration = .seconds(120)) {
        path = location.path
        self.group = group
        self.answerTimeout = answerTimeout
    }

    /// Asks, and waits for the whole answer.
    ///
    /// - Throws: `EngineError`, or `CancellationError`.
    @discardableResult
    func send(_ request: EngineRequest) async throws -> EngineAnswer {
        try await within(answerTimeout, asking: request) {
            var bytes = ByteBuffer()
            let status = try await converse(request, opened: {}) { chunk in
                bytes.writeImmutableBuffer(chunk)
                guard bytes.readableBytes <= Self.longestAnswer else {
                    throw EngineError.nonsense(asked: request.target, said: "more than \(Self.longestAnswer) bytes")
                }
            }
            guard bytes.readableBytes > 0 else { return EngineAnswer(status: status, body: .null) }
            return EngineAnswer(status: status, body: try Self.json(bytes, request))
        }
    }

    /// Asks for something that comes bit by bit until it ends; `opened` is called when the engine has agreed, `receive` gets
    /// each bit and holds up the next one until it returns.
    ///
    /// - Throws: `EngineError`, `CancellationError`, or what `receive` throws.
    func stream(
        _ request: EngineRequest, opened: @Sendable () async -> Void = {},
        _ receive: (ByteBuffer) async throws -> Void
    ) async throws {
        _ = try await converse(request, opened: opened, receive)
    }

    /// The text of an answer as JSON.
    ///
    /// - Throws: `EngineError.nonsense`.
    static func json(_ bytes: ByteBuffer, _ request: EngineRequest) throws -> JSONValue {
        do {
            return try JSONValue(parsing: Array(bytes.readableBytesView))
        } catch {
            // The engine's answer explains more than the place where it stops being JSON.
            let start = String(decoding: bytes.readableBytesView.prefix(200), as: UTF8.self)
            throw EngineError.nonsense(asked: request.target, said: start)
        }
    }

    private func converse(
        _ request: EngineRequest, opened: @Sendable () async -> Void, _ receive: (ByteBuffer) async throws -> Void
    ) async throws -> Int {
        let connection = try await connect()
        do {
            return try await connection.executeThenClose { inbound, outbound in
                // At once: an engine may answer and close when it has the head, and then a second write fails.
                try await outbound.write(contentsOf: Self.parts(of: request))
                var reading = Reading(request)
                for try await part in inbound {
                    switch part {
                    case .head(let head):
                        reading.receivedHead(head)
                        if !reading.isRefusal { await opened() }
                    case .body(let bytes):
                        if reading.isRefusal { reading.keep(bytes) } else { try await receive(bytes) }
                    case .end: return try reading.end()
                    }
                }
                throw EngineError.silent(asked: request.target)
            }
        } catch let error as EngineError {
            throw error
        } catch  where error is IOError || error is ChannelError || error is HTTPParserError {
            throw EngineError.silent(asked: request.target)
        }
    }

    private func connect() async throws -> EngineConnection {
        do {
            return try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try EngineConnection(wrappingChannelSynchronously: channel)
                }
            }
        } catch let error as IOError {
            throw EngineError.away(path: path, reason: SystemError("", "", code: error.errnoCode).reason)
        } catch is ChannelError {
            throw EngineError.away(path: path, reason: "no connection")
        }
    }

    private static func parts(of request: EngineRequest) -> [HTTPClientRequestPart] {
        var head = HTTPRequestHead(
            version: .http1_1, method: .init(rawValue: request.verb.rawValue), uri: request.target)
        head.headers.add(name: "Host", value: "docker")
        head.headers.add(name: "EngineConnection", value: "close")
        guard let body = request.body else {
            head.headers.add(name: "Content-Length", value: "0")
            return [.head(head), .end(nil)]
        }
        let bytes = ByteBuffer(bytes: body.serialized())
        head.headers.add(name: "Content-Type", value: "application/json")
        head.headers.add(name: "Content-Length", value: "\(bytes.readableBytes)")
        return [.head(head), .body(.byteBuffer(bytes)), .end(nil)]
    }

    /// Does something in time.
    ///
    /// - Throws: `EngineError.silent` when it takes longer, or what it throws.
    private func within<Value: Sendable>(
        _ limit: Duration, asking request: EngineRequest, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw EngineError.silent(asked: request.target)
            }
            return value
        }
    }

    /// An answer while it is read.
    private struct Reading {
        private let request: EngineRequest
        private var status = 0
        private var refusal = ByteBuffer()

        init(_ request: EngineRequest) { self.request = request }

        var isRefusal: Bool { status >= 400 }

        mutating func receivedHead(_ head: HTTPResponseHead) { status = Int(head.status.code) }

        mutating func keep(_ bytes: ByteBuffer) {
            if refusal.readableBytes < Engine.longestAnswer { refusal.writeImmutableBuffer(bytes) }
        }

        func end() throws -> Int {
            guard isRefusal else { return status }
            let said = String(decoding: refusal.readableBytesView, as: UTF8.self)
            // A message that is not JSON is shown as it is.
            let message = (try? Engine.json(refusal, request))?["message"]?.string ?? said
            throw EngineError.refused(asked: request.target, status: status, message: message)
        }
    }
}
