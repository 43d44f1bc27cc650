import PMModel

/// What a request asks for: the path in its parts, and the query.
struct WebTarget: Equatable {
    /// The path as it was written.
    let path: String
    /// Its parts, decoded; none for `/`.
    let parts: [String]
    /// The query, decoded; of two with one name the last.
    let query: [String: String]

    /// Reads `/a/b?c=d`; nil for another form, or for an escape that is none.
    init?(_ uri: String) {
        let text = uri.utf8.prefix { $0 != UInt8(ascii: "#") }
        guard text.first == UInt8(ascii: "/") else { return nil }
        let halves = text.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        var parts: [String] = []
        for part in halves[0].dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let decoded = Paths.percentDecoded(Array(part)) else { return nil }
            parts.append(decoded)
        }
        if parts.last == "" { parts.removeLast() }
        guard let path = String(halves[0]) else { return nil }
        self.path = path
        self.parts = parts
        guard let query = halves.count > 1 ? Self.fields(Array(halves[1])) : [:] else { return nil }
        self.query = query
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
