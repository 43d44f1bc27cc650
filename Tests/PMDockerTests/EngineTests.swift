import Glibc
import JSON
import NIOCore
import NIOPosix
import PMTestSupport
import Testing

@testable import PMDocker

/// Says the same to everybody as soon as it hears anything, and closes the connection.
private final class Hasty: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String

    init(_ answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}

@Suite struct EngineTests {
    /// Runs a test with an engine that says the same to everybody.
    private func with(_ answer: String, _ body: (Engine) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let path = "/tmp/pm-docker-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Hasty(answer))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        defer { unlink(path) }
        do {
            let location = try EngineLocation("unix://" + path, runtimeDirectory: nil) { _ in false }
            try await body(Engine(location, on: group))
        } catch {
            try await server.close().get()
            throw error
        }
        try await server.close().get()
    }

    private func answer(_ status: String, _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }

    /// More than the socket holds, so that writing it fails when the engine closes.
    private let long = JSONValue.string(String(repeating: "x", count: 4 << 20))

    @Test func `what the engine says counts before it has heard everything`() async throws {
        try await with(answer("400 Bad Request", #"{"message":"too long"}"#)) { engine in
            let request = EngineRequest(verb: .post, path: "/containers/create", body: long)
            let refusal = EngineError.refused(asked: "/containers/create", status: 400, message: "too long")
            await #expect(throws: refusal) { try await engine.send(request) }
        }
    }

    @Test func `an engine that answers at once is heard every time`() async throws {
        try await with(answer("200 OK", #"{"a":1}"#)) { engine in
            for _ in 0..<500 {
                let answer = try await engine.send(EngineRequest(verb: .get, path: "/images/here/json"))
                #expect(answer.body["a"] == 1)
            }
        }
    }

    @Test func `one that closes without an answer is told as such`() async throws {
        try await with("") { engine in
            for body in [nil, long] {
                let request = EngineRequest(verb: .post, path: "/containers/a/start", body: body)
                await #expect(throws: EngineError.silent(asked: request.path)) { try await engine.send(request) }
            }
        }
    }
}
