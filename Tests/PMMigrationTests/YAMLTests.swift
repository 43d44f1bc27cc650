import JSON
import Testing

@testable import PMMigration

@Suite struct YAMLTests {
    @Test(arguments: [
        ("a: 1\nb: x", #"{"a":1,"b":"x"}"#), ("- a\n- b: 1\n  c: 2\n-\n  d: 3", #"["a",{"b":1,"c":2},{"d":3}]"#),
        ("a:\n- x\n- y\nb: z", #"{"a":["x","y"],"b":"z"}"#),
        ("a: [1, 'b c', \"d\\n\", {e: f, g: }]", #"{"a":[1,"b c","d\n",{"e":"f","g":null}]}"#),
        ("a: [1,\n  2]\nb: 3", #"{"a":[1,2],"b":3}"#),
        ("a: |\n  x\n   y\n\n  z\n\nb: 1", #"{"a":"x\n y\n\nz\n","b":1}"#),
        ("a: >-\n  x\n  y\n\n  z\n", #"{"a":"x y\nz"}"#), ("a: |+\n  x\n\nb: 1", #"{"a":"x\n\n","b":1}"#),
        ("a: x # c\nb: 'y # z' # c\nc: a#b", #"{"a":"x","b":"y # z","c":"a#b"}"#),
        ("a: one\n  two\nb: 1", #"{"a":"one two","b":1}"#), ("'k 1': v\n\"k\\t2\": w", #"{"k 1":"v","k\t2":"w"}"#),
        ("x: &a {p: 1}\ny: *a", #"{"x":{"p":1},"y":{"p":1}}"#),
        ("x: &a\n  p: 1\n  q: 2\ny:\n  <<: *a\n  q: 3", #"{"x":{"p":1,"q":2},"y":{"q":3,"p":1}}"#),
        ("a: ~\nb: null\nc:\nd: ''", #"{"a":null,"b":null,"c":null,"d":""}"#),
        ("a: true\nb: \"true\"\nc: yes\nd: 0755\ne: 1.10", #"{"a":true,"b":"true","c":"yes","d":"0755","e":1.10}"#),
        ("---\na: 1\n...\n", #"{"a":1}"#), ("# c\n\na: http://x:80/y\n", #"{"a":"http://x:80/y"}"#),
        ("- - a\n  - b\n- c", #"[["a","b"],"c"]"#), ("a: 'it''s'", #"{"a":"it's"}"#), ("a: !!str 1", #"{"a":1}"#),
        ("", "null"), ("text", "\"text\""), ("a:\r\n  b: c\r\n", #"{"a":{"b":"c"}}"#),
    ])
    func `the subset is read as YAML says`(text: String, json: String) throws {
        #expect(try YAMLNode(bytes: Array(text.utf8)).json == JSONValue(parsing: json), "\(text)")
    }

    @Test(arguments: [
        "a: 1\na: 2", "a: [1", "a: 'x", "a: *none", "\ta: 1", "a:\n\tb: 1", "a: 1\n  b: 2", "a: 1\n---\nb: 2",
        "? a\n: b", "a: b: c",
        "a: !x y", "%YAML 1.2\n---\na: 1", "a: @x", "- a\nb: 1", "a: [1] x", "<<: 1", "a: {<<: *b}",
        "a: |x\n  y", "a\nb: 1", "a: - b",
    ])
    func `what is no YAML or not in the subset is refused`(text: String) {
        #expect(throws: MigrationError.self) { try YAMLNode(bytes: Array(text.utf8)).json }
    }

    @Test func `aliases cannot make more than 100,000 values`() {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...9 {
            let alias = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
            text += "a\(level): &a\(level) [\(alias)]\n"
        }
        #expect(throws: MigrationError.self) { try YAMLNode(bytes: Array(text.utf8)) }
        let deep = String(repeating: "[", count: 1000)
        #expect(throws: MigrationError.self) { try YAMLNode(bytes: Array("a: \(deep)".utf8)) }
    }

    @Test(arguments: [
        ##"{"a":"yes","b":"x y","c":["1",2,null,true],"d":{},"e":[],"f":{"g":[{"h":1,"i":["j"]},["k"]]},"- l":"#m"}"##,
        #"{"a":"line\nline","b":"","c":": ","d":"ü","e":"1.10","f":"${X}","g/h":"~"}"#,
    ])
    func `what is written reads back`(json: String) throws {
        let value = try JSONValue(parsing: json)
        #expect(try YAMLNode(bytes: Array(YAMLText.document(value).utf8)).json == value)
    }
}
