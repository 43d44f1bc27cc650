import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `A name without its scope` {
    @Test func `is enough in every command, in calls and in dependencies, while it is unique`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.script("web.sh", "exec sleep 1000")
            try project.configure([
                "@myorg/my-service": ["path": "./svc/commands.json", "commandable": true],
                "web": ["path": "./web.sh", "dependencies": ["my-service"]],
            ])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            #expect(try project.status("@myorg/my-service")["state"] == "up")
            #expect(try project.must("my-service", "echo", "heard") == "heard\n")
            #expect(try project.client().call("my-service.echo", ["again"])?["result"] == "again")
            for words in [
                ["status"], ["log"], ["restart", "--wait"], ["reload-metadata"], ["stop"], ["start"],
            ] {
                let outcome = try project.run([TestPaths.pm, words[0], "my-service"] + words.dropFirst())
                #expect(outcome.code == 0, "\(words): \(outcome)")
            }
            try project.configure([
                "@myorg/my-service": ["path": "./svc/commands.json", "commandable": true],
                "@other/my-service": ["path": "./svc/commands.json", "commandable": true],
            ])
            let both = try project.pm("start", "my-service")
            #expect(both.code == 66, "\(both)")
            #expect(both.errors.contains("write @myorg/my-service or @other/my-service"))
        }
    }
}
