import NIOCore
import NIOWebSocket

/// Puts the frames of a client together to messages, by the rules of RFC 6455. It decides only.
struct WebSocketMessages {
    /// The next step after a frame.
    enum Action: Equatable {
        /// Nothing; more frames belong to the message.
        case wait
        /// A whole message of text.
        case message(ByteBuffer)
        /// Answer with a pong that holds the same.
        case pong(ByteBuffer)
        /// Answer the client's goodbye with this code, or without one, and end.
        case goodbye(WebSocketErrorCode?)
        /// End, and say why.
        case fail(WebSocketErrorCode, String)
    }

    private let limit: Int
    private var parts: ByteBuffer?
    private var isOver = false

    /// Bytes of the message that has no end yet.
    var held: Int { parts?.readableBytes ?? 0 }

    init(limit: Int) {
        self.limit = limit
    }

    /// Drops what is held: nothing of the client counts any more.
    mutating func forget() {
        parts = nil
        isOver = true
    }

    mutating func received(_ frame: WebSocketFrame) -> Action {
        // After its goodbye nothing of a client counts (section 1.4).
        if isOver { return .wait }
        let action = decide(frame)
        switch action {
        case .goodbye, .fail: isOver = true
        case .wait, .message, .pong: break
        }
        return action
    }

    private mutating func decide(_ frame: WebSocketFrame) -> Action {
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return .fail(.protocolError, "a reserved bit is set, and no extension was agreed on")
        }
        guard frame.maskKey != nil else { return .fail(.protocolError, "a client's frames must be masked") }
        let data = frame.unmaskedData
        switch frame.opcode {
        case .text:
            guard parts == nil else { return .fail(.protocolError, "a message begins within another one") }
            return add(data, isLast: frame.fin)
        case .continuation:
            guard parts != nil else { return .fail(.protocolError, "there is no message to continue") }
            return add(data, isLast: frame.fin)
        case .binary: return .fail(.unacceptableData, "messages are text")
        case .ping: return .pong(data)
        case .pong: return .wait
        case .connectionClose: return goodbye(data)
        default: return .fail(.protocolError, "an unknown kind of frame")  // NIO's numbers, not an enum of ours
        }
    }

    private mutating func add(_ data: ByteBuffer, isLast: Bool) -> Action {
        let held = parts?.readableBytes ?? 0
        guard held + data.readableBytes <= limit else {
            return .fail(.messageTooLarge, "a message is longer than \(limit) bytes")
        }
        // In place: a second reference would have all that is held copied for each frame.
        if held == 0 { parts = data } else { parts?.writeImmutableBuffer(data) }
        guard isLast else { return .wait }
        let whole = parts ?? data
        parts = nil
        guard UTF8Check.isValid(whole) else { return .fail(.dataInconsistentWithMessage, "the text is not UTF-8") }
        return .message(whole)
    }

    private func goodbye(_ data: ByteBuffer) -> Action {
        var data = data
        guard data.readableBytes > 0 else { return .goodbye(nil) }
        guard let number = data.readInteger(as: UInt16.self), Self.isAllowed(number) else {
            return .fail(.protocolError, "a close frame has an invalid code")
        }
        guard UTF8Check.isValid(data) else { return .fail(.dataInconsistentWithMessage, "the reason is not UTF-8") }
        return .goodbye(WebSocketErrorCode(codeNumber: Int(number)))
    }

    /// The codes that may stand in a frame (section 7.4 and its registry).
    private static func isAllowed(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// Checks that bytes are UTF-8.
enum UTF8Check {
    static func isValid(_ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { raw in
            // Most messages are ASCII, and that is quickly seen.
            if raw.allSatisfy({ $0 < 0x80 }) { return true }
            return String(validating: raw.bindMemory(to: UInt8.self), as: UTF8.self) != nil
        }
    }
}
