import PMModel

/// Target of a request: the parts of the path, and the query.
struct WebTarget: Equatable {
    /// The host and port that the target names itself, `http://HOST/path`; nil: it is a path.
    let authority: String?
    /// The path as it was written.
    let path: String
    /// Parts of the path, decoded; none for `/`.
    let parts: [String]
    /// The query, decoded; of two with one name the last.
    let query: [String: String]

    /// The longest target, in bytes.
    static let longest = 8192

    /// Reads `/a/b?c=d`, or the same with `http://HOST` or `https://HOST` before it. Nil for another form, for an escape that is
    /// none, and for what two readers could take for different paths: `//`, `\`, `.` and `..` as parts.
    init?(_ uri: String) {
        guard uri.utf8.allSatisfy({ (0x21..<0x7F).contains($0) && $0 != 0x5C && $0 != UInt8(ascii: "#") }) else {
            return nil
        }
        let (authority, rest) = Self.split(uri)
        self.authority = authority
        // A whole URL may leave out the path `/` (RFC 9110, section 4.2.3).
        let isWithoutPath = authority?.isEmpty == false && rest.first != UInt8(ascii: "/")
        let text = (isWithoutPath ? [UInt8(ascii: "/")] : []) + Array(rest)
        guard text.first == UInt8(ascii: "/"), !text.dropFirst().starts(with: "/".utf8), authority != "" else {
            return nil
        }
        let halves = text.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        var parts: [String] = []
        for part in halves[0].dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let decoded = Paths.percentDecoded(Array(part)), decoded != ".", decoded != ".." else { return nil }
            parts.append(decoded)
        }
        if parts.last == "" { parts.removeLast() }
        self.path = String(decoding: halves[0], as: UTF8.self)
        self.parts = parts
        guard let query = halves.count > 1 ? Self.fields(Array(halves[1])) : [:] else { return nil }
        self.query = query
    }

    private static func split(_ uri: String) -> (authority: String?, rest: Substring.UTF8View) {
        let bytes = uri.utf8
        for scheme in ["http://", "https://"] where uri.lowercased().hasPrefix(scheme) {
            let rest = bytes.dropFirst(scheme.utf8.count)
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            return (String(Substring(rest[..<end])), rest[end...])
        }
        return (nil, bytes[...])
    }

    /// `a=b&c=d`, as in queries and forms; nil for an escape that is none.
    static func fields(_ text: [UInt8]) -> [String: String]? {
        var fields: [String: String] = [:]
        for field in text.split(separator: UInt8(ascii: "&")) {
            let halves = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(halves[0]), let value = decoded(halves.count > 1 ? halves[1] : []) else {
                return nil
            }
            fields[name] = value
        }
        return fields
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> String? {
        Paths.percentDecoded(text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
    }
}
