import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm discover` {
    @Test func `registers the packages of a workspace, which then start and answer`() async throws {
        try await TestProject.with { project in
            try project.copy("\(TestPaths.examples)/shop", to: "shop")
            try project.startDaemon()
            #expect(try project.must("discover", "shop") == "api\ncache\nticker\nusers\n")
            #expect(try project.json("ls")["api"]?["dependencies"] == ["users", "cache"])
            try project.must("start", "api", "--wait", "--", "--greeting", "Welcome")
            #expect(
                try project.must("api", "greet", "Ada") == "Welcome, Ada! You are customer 1, seen 1 time.\n")
        }
    }

    @Test func `looks from the caller's directory, which is the default`() async throws {
        try await TestProject.with { project in
            try project.write("packages/tool/package.json", "{\"name\":\"@my/tool\",\"bin\":\"./tool.js\"}")
            try project.write("packages/tool/tool.js", "")
            try project.startDaemon()
            for words in [["tool"], ["./tool"]] {
                let outcome = try project.run([TestPaths.pm, "discover"] + words, in: "packages")
                #expect(outcome.code == 0)
            }
            let here = try project.run([TestPaths.pm, "-o", "json", "discover"], in: "packages/tool")
            #expect(here.code == 0, "\(here.errors)")
            let names = keys(try project.json("ls"))
            #expect(names.count == 1)
            let path = try project.json("ls")[names.first ?? ""]?["path"]?.string
            #expect(path == "./packages/tool/tool.js")
        }
    }

    @Test func `finds a service with a scope, whose name does without it where it is the only one`() async throws {
        try await TestProject.with { project in
            _ = try project.answering("svc")
            try project.write(
                "package.json", #"{"name":"@myorg/my-service","version":"1.0.0","main":"./svc/commands.json"}"#)
            try project.script("web", "exec sleep 1000")
            try project.configure(["web": ["path": "./web", "dependencies": ["my-service"]]])
            try project.startDaemon()
            #expect(try project.must("discover", ".") == "@myorg/my-service\n")
            try project.must("start", "web", "--wait")
            #expect(try project.status("@myorg/my-service")["ready"] == true)
            try project.must("stop", "my-service")
            try project.must("start", "my-service", "--wait")
            #expect(try project.status("my-service")["name"] == "@myorg/my-service")
            for words in [["restart", "my-service", "--wait"], ["log", "my-service"], ["status", "my-service"]] {
                let outcome = try project.run([TestPaths.pm] + words)
                #expect(outcome.code == 0, "\(words): \(outcome)")
            }
            let svcRow = try project.json("ls")["@myorg/my-service"]
            if svcRow?["commandable"] == true {
                #expect(try project.must("my-service", "value", "zero") == "0\n")
            }
            try project.must("map", "@other/my-service", "./web")
            let several = try project.pm("start", "my-service")
            #expect(several.code == 66)
            #expect(
                lines(several.errors) == [
                    "pm: my-service may be one of several services",
                    "hint: write @myorg/my-service or @other/my-service",
                ])
        }
    }

    @Test func `gives what it finds the name that is asked for`() async throws {
        try await TestProject.with { project in
            try project.write("tool/package.json", "{\"name\":\"tool\",\"main\":\"./tool.js\"}")
            try project.write("tool/tool.js", "")
            try project.startDaemon()
            #expect(try project.must("discover", "tool", "mine") == "mine\n")
            #expect(keys(try project.json("ls")) == ["mine"])
        }
    }

    @Test func `tells what is missing or malformed`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let missing = try project.pm("discover", "nowhere")
            #expect(missing.code == 66)
            #expect(missing.errors == "pm: \(project.directory)/nowhere: there is no such file or folder\n")
            let bare = try project.pm("discover")
            #expect(bare.code == 66)
            #expect(bare.errors.contains("\(project.directory)/package.json: there is no such file or folder"))
            #expect(bare.errors.contains("hint: \"pm map NAME PATH\" registers a program without a package"))
            try project.write("bad/package.json", "{\n  \"name\": }")
            let broken = try project.pm("discover", "bad")
            #expect(broken.code == 65)
            #expect(broken.errors.contains("\(project.directory)/bad/package.json:2:11: "))
        }
    }
}
