/// A package of a registry as people write it: `NAME`, `NAME@RANGE`, `@scope/name@tag`.
public struct PackageSpec: Equatable, Sendable {
    /// The name, with its scope.
    public let name: String
    /// A version, a range of versions or a tag; nil: what the registry calls latest.
    public let range: String?

    /// The whole, as package managers take it.
    public var text: String { range.map { "\(name)@\($0)" } ?? name }

    /// Makes a package of its name and a range.
    public init(name: String, range: String? = nil) { (self.name, self.range) = (name, range) }

    /// Nil for anything but a name and a range: a package manager would take a path, a URL or an option for something else.
    public init?(argument: String) {
        // The first character of a scope is no beginning of a range.
        let at = argument.dropFirst().firstIndex(of: "@")
        name = String(at.map { argument[..<$0] } ?? argument[...])
        range = at.map { String(argument[argument.index(after: $0)...]) }
        guard Self.isName(name), range.map(Self.isRange) ?? true else { return nil }
    }

    /// True for a name that a registry takes (npm: at most 214 characters, none that a URL cannot hold).
    public static func isName(_ text: String) -> Bool {
        guard text.utf8.count <= 214 else { return false }
        var parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if text.hasPrefix("@"), parts.count == 2 {
            parts[0] = parts[0].dropFirst()
        } else if parts.count != 1 {
            return false
        }
        return parts.allSatisfy { part in
            guard let first = part.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else {
                return false
            }
            return part != "node_modules" && part.utf8.allSatisfy { isLetter($0) || "-._~".utf8.contains($0) }
        }
    }

    /// True for a version, a range or a tag.
    public static func isRange(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { isLetter($0) || " -._~+^<>=|*".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
