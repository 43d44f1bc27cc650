import JSON
import PMAPI
import Testing

@Suite struct APIErrorTests {
    private func error(_ text: String) throws -> APIError { APIError(json: try JSONValue(parsing: text)) }

    @Test func `an error keeps everything it says`() throws {
        var error = APIError.serviceFailed("web died", output: ["one", "two"], hint: "pm log web")
        error.code = "EBOOM"
        error.details = ["name": "WebError"]
        let read = APIError(json: error.json)
        #expect(read.message == error.message && read.hint == error.hint && read.output == error.output)
        #expect(read.code == error.code && read.statusCode == 502)
        #expect(read.details["name"] == "WebError")
    }

    @Test func `clients of the reference find a stack`() {
        #expect(APIError.notFound("no web").json["stack"] == "Error: no web")
        #expect(APIError(json: APIError.notFound("no web").json).json == APIError.notFound("no web").json)
    }

    @Test func `an unknown method is not found`() throws {
        let read = try error(
            #"{"code":-32601,"message":"Method not found","data":{"info":"no handler found for method nope"}}"#)
        #expect(read.statusCode == 404)
        #expect(read.message == "Method not found: no handler found for method nope")
        #expect(read.exitCode == .notFound)
    }

    @Test func `a service's own error keeps its status`() throws {
        let read = try error(#"{"message":"bad","name":"Error","statusCode":418,"code":"TEAPOT","stack":"Error: bad"}"#)
        #expect(read.statusCode == 418 && read.code == "TEAPOT" && read.exitCode == .failure)
    }

    @Test(arguments: ["\"boom\"", "17", "[]", "{}", "true"]) func `any shape is an error`(text: String) throws {
        #expect(try error(text).statusCode == 500)
        #expect(try !error(text).message.isEmpty)
    }

    @Test func `a question is told from an error`() throws {
        let asked = try error(#"{"code":"INTERACT","message":"Your name?","as":"who"}"#)
        #expect(Interaction(asked) == Interaction(message: "Your name?", option: "who"))
        #expect(Interaction(try error(#"{"code":"INTERACT","message":"?"}"#))?.option == nil)
        #expect(Interaction(APIError(500, "INTERACT")) == nil)
        #expect(Interaction(Interaction(message: "m", option: "o").error) == Interaction(message: "m", option: "o"))
    }

    @Test func `each status has its exit code`() {
        let expected: [(Int, ExitCode)] = [
            (400, .data), (401, .notPermitted), (403, .notPermitted), (404, .notFound), (408, .timeout),
            (409, .conflict), (500, .failure), (502, .serviceFailed), (503, .notRunning), (504, .timeout),
            (0, .failure),
        ]
        for (status, code) in expected { #expect(ExitCode(statusCode: status) == code) }
    }

    @Test(arguments: [
        ("[1]", ""), ("[{}]", ""), ("[]", ""), ("[true]", ""),
    ]) func `a start without a proper name says so`(text: String, _: String) throws {
        let parameters = Parameters(try JSONValue(parsing: text))
        if text == "[1]" {
            #expect(try Start(parameters).name == "1")
        } else {
            let error = #expect(throws: APIError.self) { try Start(parameters) }
            #expect(error?.statusCode == 400)
        }
    }

    @Test func `wrong options say which and why`() throws {
        func message(_ make: () throws -> Void) -> String? { #expect(throws: APIError.self, performing: make)?.message }
        #expect(message { _ = try Start(Parameters(["web", 5])) } == "options must be an object, not a number")
        #expect(message { _ = try Map(Parameters(["a", "b", "Fridge"])) } == "there is no runtime Fridge")
        #expect(message { _ = try Map(Parameters(["a"])) } == "path is missing")
        #expect(message { _ = try Log(Parameters(["a", ["lines": "x"]])) } == "lines must be a number of lines, not x")
        #expect(
            message { _ = try Log(Parameters(["a", ["since": "x"]])) } == "since must be a time or a duration, not x")
        #expect(message { _ = try Status(Parameters([""])) } == "name must not be empty")
        #expect(
            message { _ = try UnitStatus(json: 3) }
                == "cannot read the daemon's answer: a row of the status was expected, not a number")
    }
}
