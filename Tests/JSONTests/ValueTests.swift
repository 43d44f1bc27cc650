import JSON
import Testing

@Suite struct ValueTests {
    @Test func `each accessor answers for its own kind alone`() {
        let values: [JSONValue] = [nil, true, 7, 1.5, "s", [1], ["k": 2]]
        #expect(values.map(\.isNull) == [true, false, false, false, false, false, false])
        #expect(values.map(\.bool) == [nil, true, nil, nil, nil, nil, nil])
        #expect(values.map(\.int) == [nil, nil, 7, nil, nil, nil, nil])
        #expect(values.map(\.double) == [nil, nil, 7, 1.5, nil, nil, nil])
        #expect(values.map(\.string) == [nil, nil, nil, nil, "s", nil, nil])
        #expect(values.map(\.array) == [nil, nil, nil, nil, nil, [1], nil])
        #expect(values.map { $0.object?.count } == [nil, nil, nil, nil, nil, nil, 1])
        #expect(values.map { $0["k"] } == [nil, nil, nil, nil, nil, nil, 2])
        #expect(values.map { $0[0] } == [nil, nil, nil, nil, nil, 1, nil])
        #expect(values[5][1] == nil)
        #expect(values[5][-1] == nil)
    }

    @Test(arguments: [
        ("null", false), ("false", false), ("0", false), ("-0", false), ("0.0", false), ("0e5", false), ("\"\"", false),
        ("true", true), ("1", true), ("-1", true), ("0.1", true), ("\" \"", true), ("\"0\"", true), ("[]", true),
        ("{}", true),
    ]) func `truth is JavaScript's`(_ text: String, _ expected: Bool) throws {
        #expect(try JSONValue(parsing: text).isTruthy == expected)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("-12", -12), ("1.0", 1), ("1e3", 1000), ("1.5e1", 15),
            ("9007199254740993", 9_007_199_254_740_993),
            ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("9223372036854775808", nil),
            ("0.5", nil),
            ("1e30", nil), ("1e999", nil), ("-1e-999", 0), ("9007199254740993.0", nil),
        ] as [(String, Int?)]) func `whole numbers are exact or nil`(_ text: String, _ expected: Int?) throws
    {
        #expect(try JSONValue(parsing: text).int == expected)
    }

    @Test func `a number's text is never rewritten`() throws {
        let text = "[1.50,1E5,-0,-0.0,1e+2,100000000000000000000000000000000,0.1e-400,1.0]"
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test func `numbers out of range are infinite or zero as doubles`() throws {
        #expect(try JSONValue(parsing: "1e999").double == .infinity)
        #expect(try JSONValue(parsing: "-1e999").double == -.infinity)
        #expect(try JSONValue(parsing: "1e-999").double == 0)
    }

    @Test(
        arguments: [
            (1.0, "1"), (-0.5, "-0.5"), (0.1, "0.1"), (1e20, "1e+20"), (.leastNonzeroMagnitude, "5e-324"),
            (.infinity, "null"),
            (.nan, "null"),
            (9_007_199_254_740_991, "9007199254740991"), (-3, "-3"), (1e15, "1000000000000000"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] as [(Double, String)]) func `doubles are written as JSON`(_ value: Double, _ text: String) throws
    {
        #expect(JSONValue(value).text == text)
        if value.isFinite { #expect(try JSONValue(parsing: text).double == value) }
    }

    @Test func `numbers are equal when written alike or whole and the same`() throws {
        #expect(try JSONValue(parsing: "1.0") == 1)
        #expect(try JSONValue(parsing: "1e2") == 100)
        #expect(try JSONValue(parsing: "18446744073709551616") != JSONValue(parsing: "18446744073709551617"))
        #expect(try JSONValue(parsing: "1.5") != 1)
    }

    @Test func `values of different kinds are never equal`() {
        let values: [JSONValue] = [nil, false, 0, "", [], [:], "0", [nil], ["a": nil]]
        for (i, a) in values.enumerated() {
            for (j, b) in values.enumerated() { #expect((a == b) == (i == j)) }
        }
    }

    @Test func `strings are equal by their bytes`() {
        #expect(JSONValue("\u{e9}") == "\u{e9}")
        #expect(JSONValue("\u{e9}") != "e\u{301}")
    }

    @Test func `parsing takes arrays, slices, raw memory and strings`() throws {
        let bytes = Array("x[1]x".utf8)
        #expect(try JSONValue(parsing: bytes[1..<4]) == [1])
        #expect(
            try bytes.withUnsafeBytes { try JSONValue(parsing: UnsafeRawBufferPointer(rebasing: $0[1..<4])) } == [1])
        #expect(try JSONValue(parsing: "[1]x".dropLast()) == [1])
        #expect(throws: JSONError.self) { try JSONValue(parsing: UnsafeRawBufferPointer(start: nil, count: 0)) }
    }
}
