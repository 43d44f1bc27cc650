import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm do` {
    private func prepared(_ steps: JSONValue, _ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure(["svc": try project.answering(), "web": try project.sleeper()])
            try project.write("deploy.json", (["workflow": "deploy", "steps": steps] as JSONValue).text)
            try project.startDaemon()
            try body(project)
        }
    }

    @Test func `runs the steps in order and prints their results`() async throws {
        let steps: JSONValue = [
            ["name": "Start service", "container": "@akala/pm", "command": "start", "args": ["svc", ["wait": true]]],
            ["name": "Greet", "container": "svc", "command": "greet", "args": ["Ada", true]],
            ["container": "svc", "command": "value", "args": ["nil"]],
            ["name": "Stop", "container": "pm", "command": "stop", "args": ["svc"]],
        ]
        try await prepared(steps) { project in
            let lines = lines(try project.must("do", "deploy.json"))
            #expect(lines.count == 4)
            #expect(lines[0].hasPrefix(#"Start service: {"name":"svc""#))
            #expect(lines[1] == #"Greet: ["Ada",true]"#)
            #expect(lines[2] == "svc.value: done")
            #expect(lines[3].hasPrefix(#"Stop: {"stopped":["svc"]"#))
            let json = try project.run([TestPaths.pm, "-o", "json", "do", "deploy.json"])
            let first = try JSONValue(parsing: String(json.output.split(separator: "\n")[0]))
            #expect(first["name"]?.string == "Start service" && first["result"]?["name"]?.string == "svc")
        }
    }

    @Test func `ends at the first step that fails, with its exit code`() async throws {
        let steps: JSONValue = [
            ["container": "pm", "command": "name"],
            ["name": "Call it", "container": "svc", "command": "greet", "args": ["Ada"]],
            ["name": "Never", "container": "pm", "command": "start", "args": ["web"]],
        ]
        try await prepared(steps) { project in
            let outcome = try project.pm("do", "deploy.json")
            #expect(outcome.code == 69)
            #expect(outcome.output.hasPrefix("name: "))
            #expect(outcome.errors.contains("step 2 (Call it), svc.greet: svc does not run"), "\(outcome)")
            #expect(try project.status("web")["running"]?.bool == false)
        }
    }

    @Test func `refuses a file that makes no sense before the first step`() async throws {
        try await prepared([["container": "pm", "command": "start", "args": ["web"]], ["container": "svc"]]) {
            project in
            let outcome = try project.pm("do", "deploy.json")
            #expect(outcome.code == 65)
            #expect(outcome.errors.contains("deploy.json, step 2: \"command\" must be the name of a command"))
            #expect(try project.status("web")["running"]?.bool == false)
            for (text, part) in [
                ("{", "deploy.json:"), ("{}", "no list of \"steps\""), (#"{"steps":[7]}"#, "step 1 must be an object"),
                (#"{"steps":[{"container":"x","command":"y","arg":[]}]}"#, "unknown key arg"),
                (#"{"steps":[{"container":"x","command":"y","args":{}}]}"#, "\"args\" must be a list"),
                (#"{"steps":[{"command":"y"}]}"#, "\"container\" must be"),
            ] {
                try project.write("deploy.json", text)
                let outcome = try project.pm("do", "deploy.json")
                #expect(outcome.code == 65 && outcome.errors.contains(part), "\(text): \(outcome)")
            }
            #expect(try project.pm("do", "nowhere.json").code == 66)
        }
    }
}
