import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm set` {
    @Test func `changes one key and no other byte`() async throws {
        try await TestProject.with { project in
            let text =
                "{\n  \"containers\": {\"web\":   {\"path\": \"web.js\"}},\n  \"mapping\": { \"web\": {} },\n  \"own\": 1.50\n}\n"
            try project.write(".pm.config.json", text)
            #expect(try project.must("set", "web", "limits.memory", "512M") == "web limits.memory = \"512M\"\n")
            try project.must("set", "web", "env.PORT", "8080")
            try project.must("set", "web", "cli", "[\"--verbose\"]")
            try project.must("set", "web", "stateless", "true")
            let json = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(json["mapping"]?["web"]?["env"]?["PORT"] == 8080)
            #expect(json["mapping"]?["web"]?["cli"]?[0] == "--verbose")
            #expect(json["containers"]?["web"]?["stateless"] == true)
            #expect(try project.read(".pm.config.json").contains("\"own\": 1.50"))
            for key in ["limits", "env", "cli", "stateless"] { try project.must("set", "web", key) }
            #expect(
                try JSONValue(parsing: try project.read(".pm.config.json"))["mapping"]?["web"]?.object?.isEmpty == true)
        }
    }

    @Test func `refuses what would make the file wrong or odd, and leaves it`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": ["path": "./web.js"]], mapping: ["web": [:]])
            let text = try project.read(".pm.config.json")
            for (words, part) in [
                (["restart", "often"], "expected \"always\""), (["restrat", "always"], "\"restart\""),
                (["kill_timeout", "3"], "write \"stop\""), (["limits.memroy", "1G"], "memory"),
                (["path"], "\"path\" is missing"),
            ] {
                let outcome = try project.run([TestPaths.pm, "set", "web"] + words)
                #expect(outcome.code == 65 && outcome.errors.contains(part), "\(words): \(outcome)")
            }
            #expect(try project.read(".pm.config.json") == text)
        }
    }

    @Test func `counts at the next start of the service`() async throws {
        try await TestProject.with { project in
            try project.script("web", "echo \"I am $WORD\"; exec sleep 1000")
            try project.configure(["web": ["path": "./web"]], mapping: ["web": ["ready": ["log": "I am"]]])
            try project.startDaemon()
            try project.must("set", "web", "env.WORD", "two")
            try project.must("start", "web", "--wait")
            #expect(try project.must("log", "web", "--out") == "[web] I am two\n")
        }
    }
}
