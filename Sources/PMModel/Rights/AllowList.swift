/// Which methods a client may call: patterns over their names, as an `allow` of a connection point lists them.
///
///     shop             every command of the service shop
///     shop.get         one command
///     *.health         a command of every service
///     status, log      methods of pm itself
///
/// The parts of a pattern and of a name are what dots separate. A pattern allows a name when its parts match the first parts
/// of the name; in a part `*` matches any text, the empty one too.
public struct AllowList: Hashable, Sendable {
    /// The patterns as they were written.
    public let patterns: [String]
    private let parts: [[[UInt8]]]

    /// The most patterns of a list.
    public static let mostPatterns = 256
    /// The longest pattern, in bytes.
    public static let longestPattern = 256

    /// Reads the patterns; nil when there are none or too many, or one is empty, too long, or has an empty part, a blank or
    /// a control character.
    public init?(_ patterns: [String]) {
        guard !patterns.isEmpty, patterns.count <= Self.mostPatterns else { return nil }
        var parts: [[[UInt8]]] = []
        for pattern in patterns {
            guard let one = Self.parts(of: pattern) else { return nil }
            parts.append(one)
        }
        self.patterns = patterns
        self.parts = parts
    }

    private static func parts(of pattern: String) -> [[UInt8]]? {
        guard pattern.utf8.count <= longestPattern, pattern.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return nil
        }
        let parts = split(pattern.utf8)
        return parts.contains([]) ? nil : parts.map { Array($0) }
    }

    private static func split(_ name: String.UTF8View) -> [[UInt8]] {
        name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
    }

    /// True when the list allows the method, `shop.get` for example.
    public func permits(_ name: String) -> Bool {
        let name = Self.split(name.utf8)
        return parts.contains { pattern in
            pattern.count <= name.count && zip(pattern, name).allSatisfy { StarPattern.matches($0[...], $1[...]) }
        }
    }

    /// True when the list may allow a command of this service; the metadata then has to show the service.
    public func concerns(service: String) -> Bool {
        let name = Self.split(service.utf8)
        return parts.contains { pattern in zip(pattern, name).allSatisfy { StarPattern.matches($0[...], $1[...]) } }
    }
}
