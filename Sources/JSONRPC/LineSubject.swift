internal import JSON

/// The call of a line that is too long to be read to its end, taken from its first bytes.
public struct LineSubject: Equatable, Sendable {
    /// Id of the call.
    public let id: RPCID
    /// True when the line is an answer.
    public let isReply: Bool

    /// Limit of the bytes to look at: writers put short members first.
    private static let shown = 2 << 10

    /// Reads the beginning of a line; nil when it does not name a call.
    public init?(_ line: UnsafeRawBufferPointer) {
        var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: line.prefix(Self.shown)))
        guard scanner.skip(UInt8(ascii: "{")) else { return nil }
        var id: RPCID?
        var isReply: Bool?
        // Each round skips at least one member, so the number of bytes bounds the rounds.
        repeat {
            guard let key = try? scanner.skipKey() else { break }  // the end of these bytes, or no JSON
            switch key.string(in: scanner.bytes) {
            case "method", "params": isReply = false
            case "result", "error": isReply = true
            case "id":
                guard let range = try? scanner.skipValue() else { return nil }  // as above
                let raw = UnsafeRawBufferPointer(rebasing: scanner.bytes[range])
                guard isValidID(raw), raw.first != UInt8(ascii: "n"), raw.count <= RPCID.longest else { return nil }
                id = RPCID(raw: raw)
            default: break
            }
            if let id, let isReply {
                (self.id, self.isReply) = (id, isReply)
                return
            }
            if key.string(in: scanner.bytes) != "id", (try? scanner.skipValue()) == nil { break }  // as above
        } while (try? scanner.continues(until: UInt8(ascii: "}"))) == true  // as above
        return nil
    }
}
