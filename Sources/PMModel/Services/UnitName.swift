@_spi(_Unicode) import Swift

/// A valid name of a service: a folder of logs, a word of the command line and a key of the configuration.
///
/// Every name of a service is made with this type, whether it is a key of the file, or comes from a package, `pm map` or
/// `pm start --name`; there is no other check.
public struct UnitName: Hashable, Sendable, CustomStringConvertible {
    /// Reason why a text is no name; its sentence goes on after "the name".
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// The text has no characters.
        case empty
        /// The text is too long for the name of a folder.
        case tooLong
        /// A control character would move the cursor of a terminal, or end a string of C.
        case controlCharacter
        /// A character that shows nothing could make two names look alike, or turn the text of a line around.
        case hiddenCharacter
        /// A command would take the name for an option.
        case dash
        /// The text, used as a path, would lead elsewhere.
        case path
        /// The same name could be written in other bytes.
        case notComposed
        /// The name belongs to an instance of another service.
        case instance(of: String, number: Int)
        /// The name belongs to a part of pm.
        case reserved

        /// Description of the fault.
        public var description: String {
            switch self {
            case .empty: "must not be empty"
            case .tooLong: "must not be longer than \(UnitName.mostBytes) bytes"
            case .controlCharacter: "must not contain control characters"
            case .hiddenCharacter: "must not contain characters that show nothing or change the direction of text"
            case .dash: "must not begin with a dash, which makes it an option"
            case .path: "must not be or contain \".\", \"..\" or empty parts between slashes"
            case .notComposed: "must be written in composed characters (Unicode NFC)"
            case .instance(let unit, let number): "is that of instance \(number) of \(unit)"
            case .reserved: "is that of a part of pm"
            }
        }
    }

    /// Limit of a name in bytes of UTF-8.
    public static let mostBytes = 200
    /// The gateway, a part of pm that is supervised like a service.
    public static let gateway = "pm-gateway"
    /// The beginning of the names of worker pools, which are parts of pm.
    public static let poolPrefix = "pm-pool-"

    /// The beginning of the names of plugins' units, which are parts of pm.
    public static let pluginPrefix = "pm-plugin-"

    /// True for a name of a part of pm that is supervised like a service.
    public static func isOfPart(_ name: String) -> Bool {
        name == gateway || name.hasPrefix(poolPrefix) || isOfPlugin(name)
    }

    /// True for the name of a plugin's unit.
    public static func isOfPlugin(_ name: String) -> Bool { name.hasPrefix(pluginPrefix) }

    /// The name.
    public let text: String
    /// The name.
    public var description: String { text }

    /// Takes a name.
    ///
    /// - Throws: the reason why the text is no name.
    public init(_ text: String) throws(Problem) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.mostBytes else { throw .tooLong }
        // Most names: the tables of Unicode cost more than all else here.
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        guard !(isASCII ? Self.hasControlByte(text) : Self.hasControlCharacter(text)) else { throw .controlCharacter }
        guard isASCII || !text.unicodeScalars.contains(where: \.isHidden) else { throw .hiddenCharacter }
        guard text.utf8.first != UInt8(ascii: "-") else { throw .dash }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let climbs = parts.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
        guard !climbs else { throw .path }
        // Strings of equal meaning are equal in Swift, but are two keys of one file.
        guard isASCII || text._nfc.elementsEqual(text.unicodeScalars) else { throw .notComposed }
        if let instance = InstanceName(text) { throw .instance(of: instance.unit, number: instance.number) }
        guard !Self.isOfPart(text) else { throw .reserved }
        self.text = text
    }

    private static func hasControlByte(_ text: String) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }

    private static func hasControlCharacter(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
