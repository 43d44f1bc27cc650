/// A name or address as `Host` has it, without the port.
struct HostName: Equatable {
    /// In small letters, an address of IPv6 without brackets.
    let text: String
    /// The same without the dot that ends a name of DNS.
    let withoutDot: String

    /// Reads `NAME`, `NAME:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`; nil for another form.
    init?(_ host: String) {
        let bytes = Array(host.lowercased().utf8)
        let name: ArraySlice<UInt8>
        let rest: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            (name, rest) = (bytes[1..<end], bytes[(end + 1)...])
            guard name.contains(UInt8(ascii: ":")), name.allSatisfy(Self.isLetterOfAddress) else { return nil }
        } else {
            let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
            (name, rest) = (bytes[..<end], bytes[end...])
            guard name.allSatisfy(Self.isLetterOfName) else { return nil }
        }
        guard !name.isEmpty, Self.isPort(rest) else { return nil }
        text = String(decoding: name, as: UTF8.self)
        withoutDot = name.last == UInt8(ascii: ".") ? String(text.dropLast()) : text
    }

    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first else { return true }
        let digits = text.dropFirst()
        guard first == UInt8(ascii: ":"), !digits.isEmpty, digits.allSatisfy(isDigit) else { return false }
        return UInt16(String(decoding: digits, as: UTF8.self)) != nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetterOfAddress(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte) || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: ".")
    }

    private static func isLetterOfName(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || "-._".utf8.contains(byte)
    }
}
