/// Text that arrives in pieces.
public enum TornText {
    /// The number of bytes up to the end of the last whole character: a UTF-8 sequence may go on in the next read (RFC
    /// 3629).
    public static func whole(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where bytes.count >= length {
            let byte = bytes[bytes.count - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte & 0xE0 == 0xC0 ? 2 : byte & 0xF0 == 0xE0 ? 3 : byte & 0xF8 == 0xF0 ? 4 : 1
            return needed > length ? bytes.count - length : bytes.count
        }
        return bytes.count
    }
}
