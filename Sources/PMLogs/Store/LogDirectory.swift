/// Where the logs of units live: one directory below the root for each, named so that any unit name fits.
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

    /// The file name of a unit: letters, digits and `-_@+` stand for themselves, `.` too unless it is the first;
    /// every other byte becomes `%` and two hexadecimal digits.
    public static func encode(_ unit: String) -> String {
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
