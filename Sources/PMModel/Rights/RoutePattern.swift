/// Which requests of HTTP a route is for: a method, or every one, and a path whose parts are texts or take any text.
public struct RoutePattern: Hashable, Sendable {
    /// One part of a path.
    public enum Part: Hashable, Sendable {
        /// This text.
        case text(String)
        /// `{name}`: any text.
        case parameter(String)
    }

    /// The method, in capitals; nil: every one.
    public let method: String?
    /// The parts of the path, in their order.
    public let parts: [Part]
    /// True when the path may go on: `/users/*` is for everything below `/users`.
    public let isPrefix: Bool

    /// The longest path of a pattern, in bytes.
    public static let longestPath = 1024
    /// The most parts of a path.
    public static let mostParts = 32

    /// Reads the `method` and `route` of a command; `use` and `all` are every method. Nil for a path that is too long.
    public init?(method: String?, route: String) {
        guard let parts = Self.parts(route) else { return nil }
        let name = method?.uppercased() ?? "USE"
        self.method = ["USE", "ALL"].contains(name) ? nil : name
        self.parts = parts
        isPrefix = false
    }

    /// Reads an entry of `routes` of a mapping: `/login`, `/users/{id}`, `/users/*`, each with a method before it or none,
    /// `POST /login`. Nil for another form.
    public init?(entry: String) {
        let words = entry.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 1 || words.count == 2, let path = words.last, path.hasPrefix("/"),
            var parts = Self.parts(String(path))
        else { return nil }
        let isPrefix = parts.last == .text("*")
        if isPrefix { parts.removeLast() }
        guard !parts.contains(where: { if case .text(let text) = $0 { text.contains("*") } else { false } }) else {
            return nil
        }
        if words.count == 2 {
            guard !words[0].isEmpty, words[0].utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else { return nil }
            method = String(words[0])
        } else {
            method = nil
        }
        self.parts = parts
        self.isPrefix = isPrefix
    }

    private static func parts(_ path: String) -> [Part]? {
        guard path.utf8.count <= longestPath else { return nil }
        let pieces = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard pieces.count <= mostParts else { return nil }
        return pieces.map { piece in
            let isParameter = piece.utf8.count > 2 && piece.hasPrefix("{") && piece.hasSuffix("}")
            return isParameter ? .parameter(String(piece.dropFirst().dropLast())) : .text(piece)
        }
    }

    /// The path as it is written, `/users/{id}`.
    public var path: String {
        let texts = parts.map { part in
            switch part {
            case .text(let text): text
            case .parameter(let name): "{\(name)}"
            }
        }
        return "/" + (texts + (isPrefix ? ["*"] : [])).joined(separator: "/")
    }

    /// The whole pattern, `POST /login`.
    public var text: String { method.map { "\($0) \(path)" } ?? path }

    /// The number of fixed parts: of two routes that match, the one with more of them is used.
    public var precision: Int {
        parts.count { if case .text = $0 { true } else { false } }
    }

    /// The parameters of a path; nil when the pattern is not for it.
    public func match(_ path: [String]) -> [String: String]? {
        guard isPrefix ? path.count > parts.count : path.count == parts.count else { return nil }
        var found: [String: String] = [:]
        for (part, text) in zip(parts, path) {
            switch part {
            case .text(let expected): if expected != text { return nil }
            case .parameter(let name): found[name] = text
            }
        }
        return found
    }

    /// True when one request could match both.
    public func overlaps(_ other: RoutePattern) -> Bool {
        if let method, let theirs = other.method, method != theirs { return false }
        switch (isPrefix, other.isPrefix) {
        case (false, false): guard parts.count == other.parts.count else { return false }
        case (true, false): guard other.parts.count > parts.count else { return false }
        case (false, true): guard parts.count > other.parts.count else { return false }
        case (true, true): break
        }
        return zip(parts, other.parts).allSatisfy { mine, theirs in
            if case .text(let mine) = mine, case .text(let theirs) = theirs { mine == theirs } else { true }
        }
    }

    /// True when every request that matches the other also matches this pattern.
    public func covers(_ other: RoutePattern) -> Bool {
        guard method == nil || method == other.method else { return false }
        let isLongEnough =
            switch (isPrefix, other.isPrefix) {
            case (false, false): parts.count == other.parts.count
            case (true, false): other.parts.count > parts.count
            case (true, true): other.parts.count >= parts.count
            case (false, true): false
            }
        return isLongEnough
            && zip(parts, other.parts).allSatisfy { mine, theirs in
                switch (mine, theirs) {
                case (.parameter, _): true
                case (.text(let mine), .text(let theirs)): mine == theirs
                case (.text, .parameter): false
                }
            }
    }
}
