import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm init` {
    @Test func `writes a service that runs at once`() async throws {
        try await TestProject.with { project in
            let made = try project.run([TestPaths.pm, "init", "my shop", "-o", "json"])
            #expect(made.code == 0, "\(made)")
            let answer = try JSONValue(parsing: made.output)
            #expect(answer["name"] == "myshop")
            #expect(answer["files"] == ["package.json", "commands.json", "commands/hello.js", ".pm.config.json"])
            let daemon = try project.run([TestPaths.pm, "start", "pm"], in: "my shop")
            #expect(daemon.code == 0, "\(daemon)")
            let start = try project.run([TestPaths.pm, "start", "myshop", "-w"], in: "my shop")
            #expect(start.code == 0, "\(start)")
            let hello = try project.run([TestPaths.pm, "myshop", "hello", "Ada"], in: "my shop")
            #expect(hello.output == "Hello, Ada!\n", "\(hello)")
            let nobody = try project.run([TestPaths.pm, "myshop", "hello"], in: "my shop")
            #expect(nobody.output == "Hello, World!\n", "\(nobody)")
            // Nothing that is there changes.
            try project.write("my shop/commands/hello.js", "export default () => 'mine'")
            let file = try project.read("my shop/.pm.config.json")
            let again = try project.run([TestPaths.pm, "init", "-o", "json"], in: "my shop")
            #expect(
                try again.code == 0 && JSONValue(parsing: again.output)["files"] == [".pm.config.json"], "\(again)")
            #expect(try project.read("my shop/commands/hello.js") == "export default () => 'mine'")
            #expect(try project.read("my shop/.pm.config.json") == file)
            _ = try project.run([TestPaths.pm, "stop", "--all"], in: "my shop")
        }
    }

    @Test func `refuses a package that has a program, and names that mean something else`() async throws {
        try await TestProject.with { project in
            try project.write("web/package.json", #"{"main": "run.js"}"#)
            try project.write("web/run.js", "")
            let refused = try project.run([TestPaths.pm, "init"], in: "web")
            #expect(refused.code == 73 && refused.errors.contains("hint: pm start . adds it"), "\(refused)")
            for name in ["status", "pm", ".."] {
                #expect(try project.pm("init", "new", "--name", name).code == 65, "\(name)")
            }
        }
    }
}
