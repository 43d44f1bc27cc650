/// A protocol other than JSON-RPC that a peer speaks, recognised by its first bytes.
public enum Stranger: Equatable, Sendable {
    /// HTTP of any version: what a browser, a form or a fetching program sends.
    case http
    /// The first record of a TLS handshake.
    case tls
    /// Something else.
    case other
}

extension Stranger {
    /// The protocol at the beginning of a connection.
    public enum Guess: Equatable, Sendable {
        /// The bytes may become anything.
        case open
        /// A JSON value begins, or blanks before one.
        case json
        /// No JSON can come of it.
        case stranger(Stranger)
    }

    /// The longest method of HTTP that is looked for.
    private static let longestMethod = 32

    /// Looks at the first bytes of a connection. The first byte that decides does so whatever follows it, so the answer does not
    /// depend on the pieces in which the bytes arrive.
    public static func guess(_ bytes: UnsafeRawBufferPointer) -> Guess {
        guard let first = bytes.first else { return .open }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: " "), UInt8(ascii: "\t"): return .json
        case 0x16:
            guard bytes.count > 1 else { return .open }
            return .stranger(bytes[1] == 3 ? .tls : .other)
        default: return guessMethod(bytes)
        }
    }

    /// A request of HTTP begins with its method and a blank (RFC 9112, section 3); so does the preface of HTTP/2.
    private static func guessMethod(_ bytes: UnsafeRawBufferPointer) -> Guess {
        for (place, byte) in bytes.prefix(longestMethod + 1).enumerated() {
            if byte == UInt8(ascii: " ") { return .stranger(place > 0 ? .http : .other) }
            guard isLetterOfMethod(byte) else { return .stranger(.other) }
        }
        return bytes.count > longestMethod ? .stranger(.other) : .open
    }

    private static func isLetterOfMethod(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// Why the first line of a connection is refused.
    public static let noMessage = "the first line of a connection must be a message of JSON-RPC 2.0"

    /// The answer to the peer, in its own protocol; the connection ends after it.
    ///
    /// - Parameters:
    ///   - place: the name of this end, "This is a connection point of pm" for example.
    ///   - reason: the message for a peer that speaks neither HTTP nor TLS.
    public func answer(_ place: String, _ reason: String = Self.noMessage) -> [UInt8] {
        switch self {
        case .http: return Self.httpAnswer(place)
        case .tls: return Self.handshakeFailure
        case .other:
            var line: [UInt8] = []
            MessageWriter.rejection(id: nil, .invalidRequest(reason), to: &line)
            return line
        }
    }

    private static func httpAnswer(_ place: String) -> [UInt8] {
        let text = "\(place): it speaks JSON-RPC 2.0, one message a line, not HTTP. Nothing was executed.\n"
        let head = [
            "HTTP/1.1 400 Bad Request", "Content-Type: text/plain; charset=utf-8",
            "Content-Length: \(text.utf8.count)", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
            "Connection: close",
        ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + text).utf8)
    }

    /// A fatal alert of TLS, handshake_failure (RFC 8446, section 6): its record has two bytes.
    private static let handshakeFailure: [UInt8] = [0x15, 3, 3, 0, 2, 2, 40]
}
