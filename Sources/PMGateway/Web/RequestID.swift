import NIOHTTP1

/// The id of a request of HTTP, which its answer, the log and the command that serves it have too.
struct RequestID: Equatable {
    /// Name of the field that has it.
    static let field = "X-Request-Id"
    /// The longest id of a client, in characters.
    static let longest = 128
    private static let trace = "traceparent"

    let text: String

    /// Takes the id of the client, else that of its trace, else makes one. The host of Node services has the same rules
    /// (Tests/Fixtures/web).
    ///
    /// - Parameter random: makes ids that no other request has.
    init(_ headers: HTTPHeaders, using random: inout some RandomNumberGenerator) {
        text = Self.sent(headers) ?? Self.made(using: &random)
    }

    /// The id that a client has sent; nil when it has sent none, or one that a log cannot show.
    static func sent(_ headers: HTTPHeaders) -> String? {
        let ids = headers[field]
        if ids.count == 1, (1...longest).contains(ids[0].utf8.count),
            ids[0].utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return ids[0]
        }
        let traces = headers[trace]
        return traces.count == 1 ? traceID(traces[0]) : nil
    }

    /// The trace of `VERSION-TRACE-PARENT-FLAGS` (W3C Trace Context), which later versions may go on with `-`.
    private static func traceID(_ text: String) -> String? {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, zip(parts, [2, 32, 16, 2]).allSatisfy({ $0.count == $1 && $0.allSatisfy(isHex) }),
            !parts[0].elementsEqual("ff".utf8), !isZero(parts[1]), !isZero(parts[2])
        else { return nil }
        return String(parts[1])
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func isZero(_ digits: Substring.UTF8View) -> Bool { digits.allSatisfy { $0 == UInt8(ascii: "0") } }

    private static func made(using random: inout some RandomNumberGenerator) -> String {
        let digits = Array("0123456789abcdef")
        return String((0..<32).map { _ in digits.randomElement(using: &random) ?? "0" })
    }
}
