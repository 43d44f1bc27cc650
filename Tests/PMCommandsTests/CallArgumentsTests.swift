import JSON
import PMAPI
import Testing

@testable import PMCommands

@Suite struct CallArgumentsTests {
    private func arguments(_ line: String, _ config: String?, isJSON: Bool = false) throws -> CallArguments {
        let metadata = try config.map { text in
            CommandMetadata(name: "svc.x", config: try #require(JSONValue(parsing: text).object))
        }
        let words = line.split(separator: " ").map(String.init)
        return CallArguments(words, for: metadata, isJSON: isJSON, workingDirectory: "/here")
    }

    private func params(_ line: String, _ config: String?, isJSON: Bool = false) throws -> String {
        try arguments(line, config, isJSON: isJSON).params.text
    }

    @Test func `without metadata the words are sent as they are`() throws {
        #expect(try params("a 1 --b -c", nil) == #"["a","1","--b","-c"]"#)
        #expect(try params("a --b", #"{"":{"inject":["params.0","params.1"]}}"#) == #"["a","--b"]"#)
        #expect(try params("", nil) == "[]")
    }

    @Test func `words that are JSON count as what they say when asked`() throws {
        #expect(
            try params(#"1 true null {"a":[2]} x 01 "q""#, nil, isJSON: true)
                == #"[1,true,null,{"a":[2]},"x","01","q"]"#)
    }

    @Test func `usage and options fill the places of the inject list`() throws {
        let config = """
            {"":{"inject":["params.0","params.1","params.2"]},"cli":{"usage":"greet <who> [title]",
            "options":{"loud":{"aliases":["l"]},"times":{"needsValue":true}},
            "inject":["options.who","options.title","options"]}}
            """
        #expect(try params("Ada", config) == #"{"params":["Ada",null,{"who":"Ada"}],"absent":[1]}"#)
        #expect(
            try params("-l Ada --times 3 Dr", config)
                == #"["Ada","Dr",{"loud":true,"times":"3","who":"Ada","title":"Dr"}]"#)
        #expect(
            try params("--times=3 --loud=no Ada", config)
                == #"{"params":["Ada",null,{"times":"3","loud":"no","who":"Ada"}],"absent":[1]}"#)
    }

    @Test func `the lists are aligned by index, not by number`() throws {
        let config = #"""
            {"":{"inject":["$container","params.1","params.0"]},
            "cli":{"usage":"x <a> <b>","inject":["$container","options.a","options.b"]}}
            """#
        #expect(try params("1 2", config) == #"["2","1"]"#)
    }

    @Test func `what was not given at the end is not sent`() throws {
        let config = #"{"":{"inject":["params.0","params.1"]},"cli":{"usage":"x [a] [b]"}}"#
        #expect(try params("", config) == "[]")
        #expect(try params("1", config) == #"["1"]"#)
    }

    @Test func `null that was given is sent, wherever it is`() throws {
        let config = #"{"":{"inject":["params.0","params.1"]},"cli":{"inject":["params.0","params.1"]}}"#
        #expect(try params("null a", config, isJSON: true) == #"[null,"a"]"#)
        #expect(try params("a null", config, isJSON: true) == #"["a",null]"#)
    }

    @Test func `a jsonrpc list goes before the plain one`() throws {
        let config = #"{"":{"inject":["params.0"]},"jsonrpc":{"inject":["params.1"]},"cli":{"inject":["params.0"]}}"#
        #expect(try params("a", config) == #"{"params":[null,"a"],"absent":[0]}"#)
    }

    @Test func `arguments, context and objects can be named`() throws {
        let config = #"""
            {"":{"inject":["params.0","params.1","params.2","params.3"]},"cli":{"usage":"x [...files]","inject":[
            "options.files","context.currentWorkingDirectory",{"all":"params","one":"params.1"},["options","files",0]]}}
            """#
        #expect(try params("a b", config) == #"[["a","b"],"/here",{"all":["a","b"],"one":"b"},["a","b"]]"#)
    }

    @Test func `what is known only to the service is absent`() throws {
        let config = #"{"":{"inject":["params.0","params.1"]},"cli":{"inject":["$state.x","params.0"]}}"#
        #expect(try params("a", config) == #"{"params":[null,"a"],"absent":[0]}"#)
    }

    @Test func `a list without places gets the words as they are`() throws {
        #expect(try params("a b", #"{"":{"inject":["$param"]},"cli":{"inject":["$param"]}}"#) == #"["a","b"]"#)
        #expect(try params("a b", #"{"cli":{"usage":"x [...all]"}}"#) == #"["a","b"]"#)
    }

    @Test func `undeclared dashes and all behind two dashes are arguments`() throws {
        let config =
            #"{"":{"inject":["params.0","params.1"]},"cli":{"inject":["params.0","params.1"],"options":{"q":{}}}}"#
        #expect(try params("--what -", config) == #"["--what","-"]"#)
        #expect(try params("-- -q", config) == #"["-q"]"#)
    }

    @Test func `missing and surplus arguments are told with the usage`() throws {
        let config = #"{"":{"inject":["params.0"]},"cli":{"usage":"greet <who>","inject":["options.who"]}}"#
        #expect(try arguments("", config).complaint(service: "api") == "who is missing; usage: pm api greet <who>")
        #expect(
            try arguments("a b", config).complaint(service: "api") == "too many arguments; usage: pm api greet <who>")
        #expect(try arguments("a", config).complaint(service: "api") == nil)
        #expect(try arguments("a b", nil).complaint(service: "api") == nil)
        let rest = #"{"cli":{"usage":"x <a> [...more]"}}"#
        #expect(try arguments("a b c d", rest).complaint(service: "api") == nil)
    }

    @Test func `an answer is appended, or fills the option it is for`() throws {
        var appended = try arguments("a", nil)
        appended.add("yes", to: Interaction(message: "?"))
        #expect(appended.params.text == #"["a","yes"]"#)
        var named = try arguments("a", nil)
        named.add("Ada", to: Interaction(message: "?", option: "who"))
        #expect(named.params.text == #"{"params":["a"],"options":{"who":"Ada"}}"#)
        let config = #"{"":{"inject":["params.0"]},"cli":{"usage":"greet [who]","inject":["options.who"]}}"#
        var mapped = try arguments("", config)
        mapped.add("Ada", to: Interaction(message: "?", option: "who"))
        #expect(mapped.params.text == #"{"params":["Ada"],"options":{"who":"Ada"}}"#)
    }
}
