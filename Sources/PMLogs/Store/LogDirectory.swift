import Glibc
import PMModel
public import PMSystem

/// Directories of the units' logs: one below the root for each, named so that any unit name fits.
public struct LogDirectory: Sendable {
    /// The directory that holds one directory for each unit.
    public let root: String

    /// Names a root; nothing is created.
    public init(root: String) {
        self.root = root
    }

    /// The directory of a unit's segments; nothing is created.
    public func path(of unit: String) -> String {
        [root, Self.encode(unit)].joined(separator: "/")
    }

    /// Longest file name, in bytes; NAME_MAX is 255 (limits.h).
    private static let longest = 200
    /// The file in a directory of a shortened name that has the whole name.
    private static let nameFile = "name"

    /// The file name of a unit: letters, digits and `-_@+` are written as they are, `.` too unless it is the first;
    /// every other byte becomes `%` and two hexadecimal digits. A name that is too long for a file is cut; `%-` and a
    /// fingerprint of the whole one follow.
    public static func encode(_ unit: String) -> String {
        let name = escape(unit)
        guard name.utf8.count > longest else { return name }
        var kept = Substring(name).utf8.prefix(longest - 18)
        // Escapes stay whole.
        if let escape = kept.suffix(2).lastIndex(of: UInt8(ascii: "%")) { kept = kept[..<escape] }
        return "\(Substring(kept))%-\(Fingerprint(of: unit).digits)"
    }

    private static func escape(_ unit: String) -> String {
        guard !unit.isEmpty else { return "%" }
        var name: [UInt8] = []
        for (position, byte) in unit.utf8.enumerated() {
            if isPlain(byte) || (byte == UInt8(ascii: ".") && position > 0) {
                name.append(byte)
            } else {
                name += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 15)]
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// The unit that has this file name; nil for a name that `encode` never makes.
    public static func decode(_ name: String) -> String? {
        if name == "%" { return "" }
        var bytes: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard let unit = String(validating: bytes, as: UTF8.self), encode(unit) == name else { return nil }
        return unit
    }

    /// The unit of a directory below the root; nil when the directory is not one of pm.
    ///
    /// - Throws: `SystemError` when the file with a long name cannot be read.
    func unit(of name: String) throws(SystemError) -> String? {
        guard name.firstRange(of: "%-") != nil else { return Self.decode(name) }
        let path = [root, name, Self.nameFile].joined(separator: "/")
        guard try Files.status(path) != nil else { return nil }
        let unit = String(decoding: try Files.read(path), as: UTF8.self)
        return Self.encode(unit) == name ? unit : nil
    }

    /// Makes a unit's directory; one whose name is shortened gets the file with the whole name.
    ///
    /// - Throws: `SystemError` when the disk refuses.
    func make(for unit: String) throws(SystemError) {
        let path = path(of: unit)
        try Files.makeDirectories(path, mode: 0o750)
        guard Self.escape(unit).utf8.count > Self.longest else { return }
        let file = "\(path)/\(Self.nameFile)"
        let descriptor = try OwnedFD.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o640)
        try Files.write(unit.utf8, to: descriptor.raw, named: file)
    }

    /// Moves the logs of units whose name is another one afterwards.
    ///
    /// - Throws: `SystemError` when the disk refuses, or there is a log under the new name; the same call goes on where this
    ///   one stopped.
    public func move(_ name: (String) -> String) throws(SystemError) {
        guard try Files.status(root) != nil else { return }
        for entry in try Files.list(root).sorted() {
            guard let unit = try unit(of: entry) else { continue }
            let (target, isLong) = (name(unit), entry.firstRange(of: "%-") != nil)
            guard target != unit else { continue }
            try Files.move("\(root)/\(entry)", to: path(of: target))
            if isLong { try Files.remove("\(path(of: target))/\(Self.nameFile)") }
            try make(for: target)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "+"): true
        default: false
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
