import JSON
import PMAPI
import Testing

/// What a caller may put into parameters.
@Suite struct CallerParametersTests {
    private static let cases: [(String, String?)] = [
        (#"[1,{"a":{"_x":1}}]"#, nil),
        (#"{"params":[1],"_trigger":"cli","options":{}}"#, #"{"params":[1],"options":{}}"#),
        (#"[{"params":[],"auth":{},"$state":1}]"#, #"[{"params":[]}]"#),
        (
            #"{"params":[{"params":[1],"_trigger":"deep","auth":{"user":"root"}}],"a":1}"#,
            #"{"params":[{"params":[1]}],"a":1}"#
        ),
        (#"[{"params":[{"params":[{"params":[2],"signal":1}]}]}]"#, #"[{"params":[{"params":[{"params":[2]}]}]}]"#),
        (#"{"params":{"_x":1},"_y":2}"#, nil),
    ]

    @Test func `members that only a receiver may set are taken out at every level that looks structured`() throws {
        for (text, expected) in Self.cases {
            #expect(CallerParameters.cleaned(try JSONValue(parsing: text))?.text == expected, "\(text)")
        }
    }

    @Test func `levels are as many as JSON may have`() throws {
        let depth = 250
        let text =
            String(repeating: #"{"params":["#, count: depth) + "1" + String(repeating: #"],"auth":1}"#, count: depth)
        let cleaned = try #require(CallerParameters.cleaned(JSONValue(parsing: text))?.text)
        #expect(!cleaned.contains("auth"))
    }
}
