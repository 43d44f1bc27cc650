/// Node's JSON form of bytes, `{"type":"Buffer","data":[1,2,3]}`: by far the longest text that is made of a few bytes.
public enum BufferText {
    /// The digits of each byte with a comma behind them, four bytes each, and how many of these count.
    private static let digits: [(bytes: (UInt8, UInt8, UInt8, UInt8), count: Int)] = (0...255).map { value in
        let (zero, comma) = (UInt8(ascii: "0"), UInt8(ascii: ","))
        let (tens, ones) = (zero + UInt8(value / 10 % 10), zero + UInt8(value % 10))
        let hundreds = zero + UInt8(value / 100)
        if value > 99 { return ((hundreds, tens, ones, comma), 4) }
        if value > 9 { return ((tens, ones, comma, 0), 3) }
        return ((ones, comma, 0, 0), 2)
    }
    private static let pieceBytes = 16 << 10

    /// Appends the form of these bytes.
    public static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.append(contentsOf: #"{"type":"Buffer","data":["#.utf8)
        output.reserveCapacity(output.count + bytes.count * 4 + 8)
        var rest = bytes[...]
        while !rest.isEmpty {
            append(piece: UnsafeRawBufferPointer(rebasing: rest.prefix(pieceBytes)), to: &output)
            rest = rest.dropFirst(pieceBytes)
        }
        if !bytes.isEmpty { output.removeLast() }
        output.append(contentsOf: "]}".utf8)
    }

    private static func append(piece: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: piece.count * 4, alignment: 4) { space in
            digits.withUnsafeBufferPointer { digits in
                var end = 0
                for byte in piece {
                    let text = digits[Int(byte)]
                    space.storeBytes(of: text.bytes, toByteOffset: end, as: (UInt8, UInt8, UInt8, UInt8).self)
                    end += text.count
                }
                output.append(contentsOf: UnsafeRawBufferPointer(rebasing: space[..<end]))
            }
        }
    }
}
