import NIOHTTP1

/// CORS (Fetch, section 3.2): the pages of other sites that may use a place of the web, and what they may read.
///
/// The rules are those of Tests/Fixtures/web, which the host of Node services has as well.
struct CrossOrigin {
    /// How long a browser may keep the answer to a preflight, in seconds.
    private static let maxAge = "600"
    /// Fields of answers that pages may read, beside those that they always may.
    private static let exposed = "Allow, Retry-After, X-Request-Id"

    private let origins: Set<String>

    /// Takes the origins as they are configured; `null` is the origin of pages that have none, so it is nobody's.
    init(_ origins: [String]) {
        self.origins = Set(origins.map { $0.lowercased() }).subtracting(["null"])
    }

    /// True for an origin of the configuration, in small letters.
    func contains(_ origin: String) -> Bool { origins.contains(origin) }

    /// The origin of a request, when its pages may use the place.
    private func origin(of head: HTTPRequestHead) -> String? {
        let given = head.headers["origin"]
        guard given.count == 1, contains(given[0].lowercased()) else { return nil }
        return given[0]
    }

    /// The fields that every answer to a request has, refusals too: a page must be able to read why it is refused.
    func fields(for head: HTTPRequestHead) -> [(String, String)] {
        guard !origins.isEmpty else { return [] }
        guard let origin = origin(of: head) else { return [("Vary", "Origin")] }
        return [
            ("Vary", "Origin"), ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", Self.exposed),
        ]
    }

    /// True for the question of a browser whether a page of a configured origin may send a request. It never has proof.
    func isPreflight(_ head: HTTPRequestHead) -> Bool {
        head.method == .OPTIONS && head.headers["access-control-request-method"].count == 1 && origin(of: head) != nil
    }

    /// The fields of the answer to a preflight, for the methods of its path.
    func preflightFields(_ head: HTTPRequestHead, _ methods: [String]) -> [String: String] {
        var fields = [
            "Access-Control-Allow-Methods": methods.joined(separator: ", "), "Access-Control-Max-Age": Self.maxAge,
        ]
        let wanted = head.headers["access-control-request-headers"].joined(separator: ", ")
        if Self.isListOfNames(wanted) { fields["Access-Control-Allow-Headers"] = wanted }
        return fields
    }

    private static func isListOfNames(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy { part in
            let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
            let name = part.drop(while: isBlank).reversed().drop(while: isBlank)
            return !name.isEmpty && name.allSatisfy(WebAccess.isLetterOfToken)
        }
    }
}
