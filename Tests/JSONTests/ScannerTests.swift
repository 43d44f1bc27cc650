import JSON
import Testing

@Suite struct ScannerTests {
    @Test func `the range of a value is its bytes without the whitespace around`() throws {
        let text = Array("  {\"a\": [1, \"]}\"]} ,  -1.5e3 ,\"x\\\"y\", null".utf8)
        try text.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            var found: [String] = []
            repeat {
                found.append(String(decoding: bytes[try scanner.skipValue()], as: UTF8.self))
            } while scanner.skip(UInt8(ascii: ","))
            try scanner.expectEnd()
            #expect(found == ["{\"a\": [1, \"]}\"]}", "-1.5e3", "\"x\\\"y\"", "null"])
        }
    }

    @Test func `a scanner can begin in the middle`() throws {
        let text = Array("xx[1]".utf8)
        try text.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes, at: 2)
            let range = try scanner.skipValue()
            #expect(range == 2..<5)
            #expect(scanner.offset == 5)
            #expect(scanner.next == nil)
        }
    }

    @Test func `names come with their escapes told`() throws {
        let text = Array(#"{"plain":1,"esc\u0061ped":2}"#.utf8)
        try text.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            var keys: [String] = []
            var escapes: [Bool] = []
            let opened = scanner.skip(UInt8(ascii: "{"))
            #expect(opened)
            repeat {
                let key = try scanner.skipKey()
                keys.append(key.string(in: bytes))
                escapes.append(key.hasEscapes)
                _ = try scanner.skipValue()
            } while try scanner.continues(until: UInt8(ascii: "}"))
            #expect(keys == ["plain", "escaped"])
            #expect(escapes == [false, true])
        }
    }

    @Test func `a special byte is found at each place of a long string`() throws {
        for length in 0..<40 {
            for special in ["\"", "\\", "\n", "é", "\u{1f}"] {
                let string =
                    String(repeating: "a", count: length) + special + String(repeating: "z", count: 40 - length)
                let bytes = JSONValue(string).serialized()
                #expect(try JSONValue(parsing: bytes).string == string)
                #expect(bytes.withUnsafeBytes { scans($0) })
                // Unescaped, only é may stand in a string.
                #expect(verdicts(Array("\"\(string)\"".utf8)) == Array(repeating: special == "é", count: 3))
            }
        }
    }
}
