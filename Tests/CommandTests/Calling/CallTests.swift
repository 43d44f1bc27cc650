import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm NAME COMMAND` {
    private func serving(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure(["svc": try project.answering(), "web": try project.sleeper()])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            try body(project)
        }
    }

    @Test func `prints results: strings as they are, others as JSON, falsy ones too, nothing for void`() async throws {
        try await serving { project in
            let expected = [
                "zero": ("0\n", "0\n"), "no": ("false\n", "false\n"), "empty": ("\n", "\"\"\n"), "nil": ("", "null\n"),
                "void": ("", "null\n"), "text": ("two words\n", "\"two words\"\n"),
                "list": ("[\n  1,\n  {\n    \"a\": 2\n  }\n]\n", "[1,{\"a\":2}]\n"),
            ]
            for (kind, (plain, json)) in expected {
                let printed = try project.must("svc", "value", kind)
                #expect(printed == plain)
                #expect(try project.must("-o", "json", "svc", "value", kind) == json)
            }
            #expect(try project.must("call", "svc", "value", "zero") == "0\n")
        }
    }

    @Test func `hands over what follows the name, dashes and words of pm included`() async throws {
        try await serving { project in
            let words = ["a b", "--wait", "-o", "json", "--", "-x=1", "--pm-sock", "", "status"]
            let text = try project.run([TestPaths.pm, "svc", "args"] + words)
            #expect(try JSONValue(parsing: text.output) == .array(words.map { .string($0) }))
            let called = try project.run([TestPaths.pm, "call", "svc", "args"] + words)
            #expect(called.output == text.output)
            let typed = try project.must("call", "--json-args", "svc", "args", "1", "{\"a\":2}", "x")
            #expect(try JSONValue(parsing: typed) == [1, ["a": 2], "x"])
        }
    }

    @Test func `sorts words by the command's usage, and tells what is missing or too much`() async throws {
        try await serving { project in
            #expect(try project.must("svc", "greet", "Ada") == "[\"Ada\",null]\n")
            #expect(try project.must("svc", "greet", "--loud", "Ada") == "[\"Ada\",true]\n")
            let missing = try project.pm("svc", "greet")
            #expect(missing.code == 64)
            #expect(missing.errors == "pm: who is missing; usage: pm svc greet <who>\n")
            let many = try project.pm("svc", "greet", "Ada", "Bea")
            #expect(many.code == 64)
            #expect(many.errors == "pm: too many arguments; usage: pm svc greet <who>\n")
        }
    }

    @Test func `turns an error's status into the exit code and keeps its members in JSON`() async throws {
        try await serving { project in
            let codes: [String: Int32] = [
                "": 1, "418": 1, "400": 65, "403": 77, "404": 66, "409": 73, "502": 70, "504": 75,
            ]
            for (status, code) in codes {
                let outcome = try project.pm("svc", "fail", status)
                #expect(outcome.code == code, "status \(status)")
                #expect(outcome.errors == "pm: it broke\n")
                #expect(outcome.output.isEmpty)
            }
            let outcome = try project.pm("-o", "json", "svc", "fail", "418")
            let report = try JSONValue(parsing: outcome.errors)
            #expect(
                report == [
                    "error": ["statusCode": 418, "code": "E_BROKE", "message": "it broke", "name": "Error"],
                    "exitCode": 1,
                ])
        }
    }

    @Test func `ends a call at its timeout, and the service learns of it`() async throws {
        try await serving { project in
            let late = try project.pm("call", "--timeout", "100ms", "svc", "wait")
            #expect(late.code == 75)
            #expect(
                late.errors
                    == "pm: svc did not answer wait within 100ms, and pm cancelled the call\nhint: pm status svc\n")
            try until("the call is cancelled") { try project.count(of: "cancelled") == 1 }
            #expect(try project.must("call", "--timeout=1m", "svc", "value", "text") == "two words\n")
            // All words after the name are the service's.
            #expect(try project.must("svc", "args", "--timeout", "5s") == "[\"--timeout\",\"5s\"]\n")
            for wrong in ["0", "soon", ""] {
                let refused = try project.pm("call", "--timeout", wrong, "svc", "wait")
                #expect(refused.code == 64 && refused.errors.contains("--timeout needs a duration"), "\(refused)")
            }
        }
    }

    @Test func `has the timeout of the mapping, for every caller`() async throws {
        try await TestProject.with { project in
            try project.configure(["svc": try project.answering()], mapping: ["svc": ["callTimeout": "100ms"]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let late = try project.pm("-o", "json", "svc", "wait")
            #expect(late.code == 75)
            let error = try JSONValue(parsing: late.errors)["error"]
            #expect(error?["statusCode"] == 504 && error?["code"] == "PM_DEADLINE")
            #expect(error?["message"] == "svc did not answer within 100ms")
            try until("the call is cancelled") { try project.count(of: "cancelled") == 1 }
            #expect(try project.must("svc", "value", "text") == "two words\n")
        }
    }

    @Test func `asks what the service asks, and calls again with the answer`() async throws {
        try await serving { project in
            let named = try project.run([TestPaths.pm, "svc", "colour"], input: "red\n")
            #expect(named.output == "it is red\n")
            #expect(named.errors == "Which? ")
            let appended = try project.run([TestPaths.pm, "svc", "who"], input: "Ada\n")
            #expect(appended.output == "hello Ada\n")
            let silent = try project.pm("svc", "who")
            #expect(silent.code == 1)
            #expect(silent.errors.contains("the question \"Who is it?\" has no answer: standard input has ended"))
        }
    }

    @Test func `calls a service named like a command of pm by call`() async throws {
        try await TestProject.with { project in
            try project.configure(["status": try project.answering()])
            try project.startDaemon()
            try project.must("start", "status", "--wait")
            #expect(try project.must("call", "status", "value", "text") == "two words\n")
            #expect(try project.must("status", "status").contains("up"))
        }
    }

    @Test func `tells an unknown service, one that is down, and an unknown command apart`() async throws {
        try await serving { project in
            let ghost = try project.pm("ghost", "walk")
            #expect(ghost.code == 66)
            #expect(
                ghost.errors == "pm: there is no service ghost, and no command of pm\nhint: pm ls, or pm --help\n")
            let down = try project.pm("web", "walk")
            #expect(down.code == 73)
            #expect(down.errors == "pm: web is not running\nhint: pm start web --wait\n")
            try project.must("start", "web", "--wait")
            let mute = try project.pm("web", "walk")
            #expect(mute.code == 66)
            #expect(
                mute.errors
                    == "pm: web has no command walk\nhint: it has no commands; pm ls shows which services are commandable\n"
            )
            let unknown = try project.pm("svc", "walk")
            #expect(unknown.code == 66)
            #expect(
                unknown.errors
                    == "pm: svc has no command walk\nhint: it has value, fail, args, greet, who, colour, wait\n")
        }
    }

    @Test func `needs a command, and knows a word that was meant to be one of pm`() async throws {
        try await TestProject.with { project in
            let outcome = try project.pm("strat")
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("'strat' is no command of pm"))
            #expect(outcome.errors.hasSuffix("hint: did you mean 'pm start'?\n"))
            let offline = try project.pm("svc", "value")
            #expect(offline.code == 69)
            #expect(offline.errors.contains("pm is not running"))
            #expect(try project.pm("call").code == 64)
            // What ends or removes something is never suggested, and words of other managers are known.
            #expect(try project.pm("stpo").errors.contains("did you mean") == false)
            #expect(try project.pm("top").errors.contains("hint: pm status shows"))
            #expect(try project.pm("kill", "web").errors.contains("pm stop NAME --now"))
            let own = try project.pm("pm", "status")
            #expect(own.code == 64)
            #expect(own.errors == "pm: commands of pm itself are called without its name\nhint: pm status\n")
        }
    }
}

extension TestProject {
    /// The size of a file of the project; 0 while there is none.
    fileprivate func count(of file: String) throws -> Int {
        try Files.status("\(directory)/\(file)") == nil ? 0 : read(file).utf8.count
    }
}
