/// An entry of `plugins` in the configuration: which plugin is meant, and what it is given.
public struct PluginReference: Equatable, Sendable {
    /// The name of an npm package, or a path.
    public var source: String
    /// Its options as JSON text; nil: it has none.
    public var options: String?

    /// Names a plugin.
    public init(_ source: String, options: String? = nil) {
        self.source = source
        self.options = options
    }

    /// True for a path or a URL of a file; false for the name of a package.
    public var isPath: Bool {
        source == "." || source == ".." || ["/", "./", "../", "file:"].contains { source.hasPrefix($0) }
    }
}

/// A name that a plugin gives to a command, a runtime or a probe.
public enum PluginWord {
    /// Limit of a name in bytes.
    public static let mostBytes = 40
    /// The same as a regular expression, for a schema.
    public static let pattern = "^[a-z][a-z0-9-]{0,39}$"

    /// True for a small letter and then small letters, digits and dashes.
    public static func isValid(_ word: String) -> Bool {
        guard let first = word.utf8.first, isLetter(first), word.utf8.count <= mostBytes else { return false }
        return word.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

/// A check of a plugin, and what it is given.
public struct PluginProbe: Equatable, Sendable {
    /// The name that the plugin gives the check.
    public var name: String
    /// Its options as JSON text; nil: it has none.
    public var options: String?

    /// Names a check.
    public init(_ name: String, options: String? = nil) {
        self.name = name
        self.options = options
    }
}
