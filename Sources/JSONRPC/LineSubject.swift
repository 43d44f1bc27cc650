internal import JSON

/// The call that a line is about which nobody will read to its end, as far as its first bytes tell.
public struct LineSubject: Equatable, Sendable {
    /// The id of the call.
    public let id: RPCID
    /// Whether the line is an answer.
    public let isReply: Bool

    /// So many bytes are looked at: writers put what is short first.
    private static let shown = 2 << 10

    /// Looks at the beginning of a line; nil when that does not name a call.
    public init?(_ line: UnsafeRawBufferPointer) {
        var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: line.prefix(Self.shown)))
        guard scanner.skip(UInt8(ascii: "{")) else { return nil }
        var id: RPCID?
        var isReply: Bool?
        // Each round steps over one member at least, so the bytes that are looked at bound them.
        repeat {
            guard let key = try? scanner.skipKey() else { break }  // the end of what is looked at, or no JSON
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
