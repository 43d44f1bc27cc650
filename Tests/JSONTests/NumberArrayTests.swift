import JSON
import Testing

/// Arrays of whole numbers, which the scanner reads eight bytes at a time, beside the parser, which reads one.
@Suite struct `An array of numbers` {
    /// The place and the reason of the first fault; nil: there is none.
    private static func fault(_ text: [UInt8], _ read: (UnsafeRawBufferPointer) throws(JSONError) -> Void) -> String? {
        text.withUnsafeBytes { bytes in
            do throws(JSONError) {
                try read(bytes)
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    private static func compare(_ text: [UInt8]) {
        let scanned = fault(text) { (bytes) throws(JSONError) in
            var scanner = JSONScanner(bytes)
            _ = try scanner.skipValue()
            try scanner.expectEnd()
        }
        let parsed = fault(text) { (bytes) throws(JSONError) in _ = try JSONValue(parsing: bytes) }
        #expect(scanned == parsed, "\(String(decoding: text, as: UTF8.self))")
    }

    @Test(arguments: [
        "[]", "[1]", "[0,0,0,0,0,0,0,0,0]", "[1,2,3,4,5,6,7,8,9,10]", "[1,2,3,4,5,6,7,8,]", "[1,2,3,,5,6,7,8,9]",
        "[,1,2,3,4,5,6,7,8]",
        "[1,2,3,4,01,6,7,8,9]", "[1,2,3,4,5,6,0,01,2,3]", "[1234567,0,12345678]", "[1234567,00,2345678]", "[1,2,3,0",
        "[1,2,3,4,5,6,7,8",
        "[123456789012345678901234567890,1]", "[1,2,3,4,5,6,7,8.5,9e1,-1]", "[1, 2, 3, 4 ,5,6,7,8,9]",
        "[1,2,3,4,5,6,7,\u{E9},8,9,10]",
    ]) func `is read as it is by one who looks at each byte`(text: String) {
        Self.compare(Array(text.utf8))
    }

    @Test func `whatever stands in it`() {
        var random = SeededGenerator(state: 7)
        let usual = Array("0123456789,,,,".utf8)
        let others = Array(" -.e]\"\n".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                Int.random(in: 0..<30, using: &random) == 0
                    ? others[Int.random(in: 0..<others.count, using: &random)]
                    : usual[Int.random(in: 0..<usual.count, using: &random)]
            }
            Self.compare(Array("[".utf8) + bytes + Array("]".utf8))
            // Most of the former have two commas in a row or a leading 0.
            let numbers = (0..<20).map { _ in String(Int.random(in: 0..<1000, using: &random)) }.joined(separator: ",")
            Self.compare(Array("[\(numbers)".utf8) + bytes.suffix(2) + Array("]".utf8))
        }
    }
}
