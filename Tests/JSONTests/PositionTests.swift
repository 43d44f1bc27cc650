import JSON
import Testing

@Suite struct PositionTests {
    static let errors: [(text: String, description: String)] = [
        ("", "line 1, column 1: expected a value, but the text ends here"),
        ("   ", "line 1, column 4: expected a value, but the text ends here"),
        ("\n\n", "line 3, column 1: expected a value, but the text ends here"),
        ("{\"a\":1\n \"b\":2}", "line 2, column 2: expected ',' or '}'"),
        ("{\r\n  \"a\": 1\r\n  \"b\"", "line 3, column 3: expected ',' or '}'"),
        ("[1 2]", "line 1, column 4: expected ',' or ']'"),
        ("[1,", "line 1, column 4: expected a value, but the text ends here"),
        ("[1", "line 1, column 3: expected ',' or ']', but the text ends here"),
        ("{\"a\" 1}", "line 1, column 6: expected ':'"),
        ("{\"a\":1,}", "line 1, column 8: expected a name in double quotes"),
        ("{a:1}", "line 1, column 2: expected a name in double quotes"),
        ("[1,]", "line 1, column 4: expected a value"),
        ("{} x", "line 1, column 4: expected the end of the text"),
        ("[\"é😀\" x]", "line 1, column 7: expected ',' or ']'"),
        ("[\n\"😀\",\n  01]", "line 3, column 3: a number must not begin with 0"),
        ("[-01]", "line 1, column 2: a number must not begin with 0"),
        ("[1.]", "line 1, column 4: expected a digit"),
        ("[1e]", "line 1, column 4: expected a digit"),
        ("-", "line 1, column 2: expected a digit, but the text ends here"),
        ("[tru]", "line 1, column 2: expected a value, perhaps true"),
        ("[nil]", "line 1, column 2: expected a value, perhaps null"),
        ("[\"ab\\x\"]", "line 1, column 5: there is no such escape"),
        ("[\"\\u12g4\"]", "line 1, column 3: expected four hexadecimal digits after \\u"),
        ("[\n  \"abc", "line 2, column 3: this string has no closing quote"),
        ("[\"ab\\", "line 1, column 2: this string has no closing quote"),
        ("[\"a\nb\"]", "line 1, column 4: a control character in a string must be written as an escape"),
    ]

    @Test(arguments: errors) func `an error names line and column`(_ expected: (text: String, description: String)) {
        let parsed = #expect(throws: JSONError.self) { try JSONValue(parsing: expected.text) }
        #expect(parsed?.description == expected.description)
        let document = #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(expected.text.utf8)) }
        #expect(document == parsed)
    }

    @Test func `a document knows where names and values stand`() throws {
        let text = "{\n  \"mapping\": {\n    \"é\": { \"cwd\": 5 },\n    \"list\": [ 1,\n\t{\"x\":null} ]\n  }\n}"
        let document = try JSONDocument(parsing: Array(text.utf8))
        func place(_ offset: Int?) -> [Int] {
            offset.map(document.position(of:)).map { [$0.line, $0.column] } ?? []
        }
        let mapping = document.root["mapping"]
        #expect(place(document.root.offset) == [1, 1])
        #expect(place(document.root.member("mapping")?.keyOffset) == [2, 3])
        #expect(place(mapping?.offset) == [2, 14])
        #expect(place(mapping?["é"]?.member("cwd")?.keyOffset) == [3, 12])
        #expect(place(mapping?["é"]?["cwd"]?.offset) == [3, 19])
        #expect(place(mapping?["list"]?[1]?.offset) == [5, 2])
        #expect(place(mapping?["list"]?[1]?["x"]?.offset) == [5, 7])
        #expect(mapping?["list"]?[2] == nil)
        #expect(mapping?["absent"] == nil)
        let error = document.error("no such directory", at: mapping?["é"]?["cwd"]?.offset ?? 0)
        #expect(error.description == "line 3, column 19: no such directory")
    }

    @Test func `a document keeps both members of one name and the value the later`() throws {
        let document = try JSONDocument(parsing: Array(#"{"a":1,"b":2,"a":3}"#.utf8))
        #expect(document.root.members.map(\.key) == ["a", "b", "a"])
        #expect(document.root["a"]?.value == 3)
        #expect(document.root.value.text == #"{"a":3,"b":2}"#)
    }
}
