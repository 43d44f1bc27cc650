import NIOCore
import NIOWebSocket
import Testing

@testable import PMGateway

@Suite struct `Messages of a WebSocket` {
    private static func frame(_ opcode: WebSocketOpcode, _ text: String, isLast: Bool = false) -> WebSocketFrame {
        WebSocketFrame(fin: isLast, opcode: opcode, maskKey: [0, 0, 0, 0], data: ByteBuffer(string: text))
    }

    @Test func `are put together in place, however many frames they come in`() {
        var messages = WebSocketMessages(limit: 8 << 20)
        let piece = Self.frame(.continuation, "twenty bytes of text")
        let began = ContinuousClock.now
        #expect(messages.received(Self.frame(.text, "")) == .wait)
        for _ in 1...200_000 { #expect(messages.received(piece) == .wait) }
        guard case .message(let whole) = messages.received(Self.frame(.continuation, "!", isLast: true)) else {
            Issue.record("no message")
            return
        }
        #expect(whole.readableBytes == 4_000_001)
        // Copying what is held for each frame moves 400 GB.
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    @Test func `begin again behind each other, empty ones too`() {
        var messages = WebSocketMessages(limit: 5)
        #expect(messages.received(Self.frame(.text, "abc", isLast: true)) == .message(ByteBuffer(string: "abc")))
        #expect(messages.received(Self.frame(.text, "", isLast: true)) == .message(ByteBuffer()))
        #expect(messages.received(Self.frame(.text, "")) == .wait)
        #expect(messages.received(Self.frame(.continuation, "abcde")) == .wait)
        #expect(messages.received(Self.frame(.continuation, "")) == .wait)
        #expect(messages.received(Self.frame(.continuation, "", isLast: true)) == .message(ByteBuffer(string: "abcde")))
        #expect(messages.received(Self.frame(.continuation, "a")) != .wait)
        var others = WebSocketMessages(limit: 5)
        #expect(others.received(Self.frame(.text, "abc")) == .wait)
        #expect(
            others.received(Self.frame(.continuation, "def"))
                == .fail(.messageTooLarge, "a message is longer than 5 bytes")
        )
    }
}
