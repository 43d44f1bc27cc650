/// Which methods a client may call: patterns over their names, as an `allow` of a connection point lists them.
///
///     shop             every command of the service shop
///     shop.get         one command
///     *.health         a command of every service
///     status, log      methods of pm itself
///
/// The parts of a pattern and of a name are what dots separate; in a part `*` matches any text, the empty one too. The first
/// parts of a pattern are the whole name of a service, the other parts the first parts of a command. `shop` thus allows
/// nothing of a service `shop.admin`, which has to be written whole, without `*`. Only the pattern `*` allows everything.
public struct AllowList: Hashable, Sendable {
    /// The patterns as they were written.
    public let patterns: [String]
    private let parts: [[[UInt8]]]
    private static let everything = [[UInt8(ascii: "*")]]

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

    /// True when the list allows the method of pm itself, `status` for example.
    public func permits(_ method: String) -> Bool {
        parts.contains { $0.count == 1 && StarPattern.matches($0[0][...], Array(method.utf8)[...]) }
    }

    /// True when the list allows the command of the service.
    public func permits(_ command: String, of service: String) -> Bool {
        let service = Self.split(service.utf8)
        let command = Self.split(command.utf8)
        return parts.contains { pattern in
            if pattern == Self.everything { return true }
            guard Self.names(pattern, service) else { return false }
            let rest = pattern.dropFirst(service.count)
            return rest.count <= command.count
                && zip(rest, command).allSatisfy { StarPattern.matches($0[...], $1[...]) }
        }
    }

    /// True when the list allows `SERVICE.COMMAND` wherever the service's name may end. Only for names that lead nowhere.
    public func permitsJoined(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return bytes.indices.contains { index in
            guard bytes[index] == UInt8(ascii: ".") else { return false }
            let command = String(decoding: bytes[(index + 1)...], as: UTF8.self)
            return permits(command, of: String(decoding: bytes[..<index], as: UTF8.self))
        }
    }

    /// True when the list allows every command of the service.
    public func permitsAll(of service: String) -> Bool {
        let service = Self.split(service.utf8)
        return parts.contains { pattern in
            pattern == Self.everything || pattern.count == service.count && Self.names(pattern, service)
        }
    }

    /// True when the list may allow a command of this service; the metadata then has to show the service.
    public func concerns(service: String) -> Bool {
        let service = Self.split(service.utf8)
        return parts.contains { pattern in
            pattern == Self.everything || Self.names(pattern, service)
        }
    }

    /// True when the first parts of the pattern are the service. With `*`, `*.health` would be all of a service `x.health`.
    private static func names(_ pattern: [[UInt8]], _ service: [[UInt8]]) -> Bool {
        guard pattern.count >= service.count else { return false }
        if service.count > 1 { return pattern.starts(with: service) }
        return StarPattern.matches(pattern[0][...], service[0][...])
    }
}
