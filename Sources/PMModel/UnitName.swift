/// What a unit may be called.
public enum UnitName {
    /// Why a name cannot be used, `must not be empty` for example; nil when it can.
    public static func problem(_ name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.count > 200 { return "must not be longer than 200 bytes" }
        if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "must not contain control characters"
        }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let climbs = parts.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
        return climbs ? "must not be or contain \".\", \"..\" or empty parts between slashes" : nil
    }
}
