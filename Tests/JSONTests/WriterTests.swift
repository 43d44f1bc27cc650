import JSON
import Testing

@Suite struct WriterTests {
    @Test(arguments: [
        ("a\"b\\c/d", #""a\"b\\c/d""#),
        ("\u{8}\u{c}\n\r\t", #""\b\f\n\r\t""#),
        ("\u{0}\u{1}\u{f}\u{10}\u{1f}\u{7f}", "\"\\u0000\\u0001\\u000f\\u0010\\u001f\u{7f}\""),
        ("é€😀\u{2028}", "\"é€😀\u{2028}\""),
        ("", "\"\""),
        ("\"", #""\"""#),
        ("a long text without anything that needs an escape", "\"a long text without anything that needs an escape\""),
    ]) func `strings are escaped as JavaScript escapes them`(_ string: String, _ expected: String) throws {
        #expect(JSONValue(string).text == expected)
        #expect(try JSONValue(parsing: expected).string == string)
        var output: [UInt8] = [0x2C]
        appendJSONString(string, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "," + expected)
    }

    @Test func `indented text is what JavaScript writes`() {
        let value: JSONValue = [
            "a": 1, "list": [1, [], [:], "x", [nil, true]], "empty": [:], "none": [], "in": ["b": ["c": false]],
        ]
        let expected = """
            {
              "a": 1,
              "list": [
                1,
                [],
                {},
                "x",
                [
                  null,
                  true
                ]
              ],
              "empty": {},
              "none": [],
              "in": {
                "b": {
                  "c": false
                }
              }
            }
            """
        #expect(String(decoding: value.serialized(indent: "  "), as: UTF8.self) == expected)
        #expect(
            String(decoding: value.serialized(indent: "\t"), as: UTF8.self)
                == expected.split(separator: "\n").map(tabbed).joined(separator: "\n"))
        #expect(value.serialized(indent: "") == value.serialized())
        #expect(String(decoding: JSONValue("x").serialized(indent: "  "), as: UTF8.self) == "\"x\"")
    }

    private func tabbed(_ line: Substring) -> String {
        let blanks = line.prefix { $0 == " " }.count
        return String(repeating: "\t", count: blanks / 2) + line.dropFirst(blanks)
    }

    @Test func `compact text has no blanks`() {
        let value: JSONValue = ["a": [1, 2.5, nil], "b": ["c": "d e"]]
        #expect(value.text == #"{"a":[1,2.5,null],"b":{"c":"d e"}}"#)
        #expect("\(value)" == value.text)
    }

    @Test func `appending leaves what is there`() {
        var output = Array("data: ".utf8)
        JSONValue.array([1, "x"]).append(to: &output)
        #expect(String(decoding: output, as: UTF8.self) == #"data: [1,"x"]"#)
    }
}
