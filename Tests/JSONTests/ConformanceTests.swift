import JSON
import Testing

/// What parser, document and scanner each make of a text; they must agree.
func verdicts(_ bytes: [UInt8]) -> [Bool] {
    [
        (try? JSONValue(parsing: bytes)) != nil,
        (try? JSONDocument(parsing: bytes)) != nil,
        bytes.withUnsafeBytes { scans($0) },
    ]
}

func scans(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var scanner = JSONScanner(bytes)
    do {
        try scanner.refuseByteOrderMark()
        _ = try scanner.skipValue()
        try scanner.expectEnd()
        return true
    } catch {
        return false
    }
}

@Suite struct ConformanceTests {
    @Test(arguments: Conformance.accepted) func `every JSON text is accepted`(_ text: String) throws {
        #expect(verdicts(Array(text.utf8)) == [true, true, true])
        let value = try JSONValue(parsing: text)
        #expect(try JSONValue(parsing: value.serialized()) == value)
        #expect(try JSONValue(parsing: value.serialized(indent: "  ")) == value)
        #expect(try JSONDocument(parsing: Array(text.utf8)).root.value == value)
    }

    @Test(arguments: Conformance.rejected) func `what is not JSON is rejected`(_ text: String) {
        #expect(verdicts(Array(text.utf8)) == [false, false, false])
    }

    @Test(arguments: Conformance.invalidUTF8) func `invalid UTF-8 is rejected`(_ bytes: [UInt8]) {
        #expect(verdicts([0x22] + bytes + [0x22]) == [false, false, false])
        #expect(verdicts([0x22] + bytes) == [false, false, false])
        #expect(verdicts(bytes) == [false, false, false])
        #expect(verdicts([0x7B, 0x22] + bytes + Array("\":1}".utf8)) == [false, false, false])
    }

    @Test func `invalid UTF-8 is named where its character begins`() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0x61, 0xE2, 0x82, 0x28, 0x22]) }
        #expect(error?.reason == "invalid UTF-8")
        #expect(error?.offset == 2)
    }

    @Test(arguments: Conformance.ours) func `what is left to the parser is read as documented`(
        _ pair: (text: String, value: String)
    ) throws {
        #expect(verdicts(Array(pair.text.utf8)) == [true, true, true])
        #expect(try JSONValue(parsing: pair.text).text == pair.value)
    }

    @Test func `512 levels are accepted and 513 are an error`() throws {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}"), (#"[{"a":"#, "}]")] {
            let levels = open.utf8.filter { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }.count
            func nested(_ depth: Int) -> [UInt8] {
                let times = depth / levels
                return Array(
                    (String(repeating: open, count: times) + "0" + String(repeating: close, count: times)).utf8)
            }
            #expect(verdicts(nested(512)) == [true, true, true])
            let error = #expect(throws: JSONError.self) { try JSONValue(parsing: nested(512 + levels)) }
            #expect(error?.reason == "nested deeper than 512 levels")
        }
    }

    @Test(arguments: ["[", "{\"a\":", "[{\"a\":"]) func `a hundred thousand open brackets are an error`(_ open: String)
    {
        #expect(verdicts(Array(String(repeating: open, count: 100_000).utf8)) == [false, false, false])
    }

    @Test func `an unfinished text is an error at each length`() {
        let text = Array(#"{"a":[1,-2.5e+3,true,null],"b\u00e9\n":"é😀\ud83d\ude00","c":{"d":false}}"#.utf8)
        for length in 0..<text.count {
            #expect(verdicts(Array(text.prefix(length))) == [false, false, false])
        }
        #expect(verdicts(text) == [true, true, true])
    }

    @Test func `a byte order mark has an error of its own`() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "\u{feff}{}") }
        #expect(error?.description == "line 1, column 1: the text begins with a byte order mark; save it without one")
    }
}
