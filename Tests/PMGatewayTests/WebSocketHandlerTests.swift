import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import PMGateway

@Suite struct `Lines for a client of a WebSocket` {
    private let channel: EmbeddedChannel

    init() {
        let memory = MemoryAccount(MemoryBudget(GatewayLimits()), .local)
        channel = EmbeddedChannel(handler: WebSocketHandler(limit: 1 << 20, memory, UnfinishedFrame(memory)))
    }

    private func frames(for lines: String) throws -> [WebSocketFrame] {
        try channel.writeOutbound(ByteBuffer(string: lines))
        var frames: [WebSocketFrame] = []
        while let frame = try channel.readOutbound(as: WebSocketFrame.self) { frames.append(frame) }
        return frames
    }

    @Test func `are one message each, an empty one too`() throws {
        let frames = try frames(for: "one\n\ntwo\nthr")
        #expect(frames.map { String(buffer: $0.data) } == ["one", "", "two"])
        #expect(frames.allSatisfy { $0.opcode == .text && $0.fin && $0.maskKey == nil })
        #expect(try self.frames(for: "ee\n").map { String(buffer: $0.data) } == ["three"])
    }

    @Test func `go out in parts when they are long, and end with the line`() throws {
        let part = String(repeating: "x", count: (64 << 10) + 1)
        let first = try frames(for: part)
        #expect(first.map(\.opcode) == [.text])
        #expect(first.map(\.fin) == [false])
        let last = try frames(for: "\n\n")
        #expect(last.map(\.opcode) == [.continuation, .text])
        #expect(last.map(\.fin) == [true, true])
        #expect(last.allSatisfy { $0.data.readableBytes == 0 })
    }
}
