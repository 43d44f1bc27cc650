import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm get` {
    @Test func `shows a service or one of its keys, without a daemon`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": ["path": "./web.js", "stateless": true]],
                mapping: ["web": ["limits": ["memory": "512M"], "env": ["a.b": 1]]])
            #expect(try project.must("get", "web", "limits.memory") == "512M\n")
            #expect(try project.must("get", "web", "path") == "./web.js\n")
            #expect(try project.json("get", "web", "env.a.b") == 1)
            #expect(try project.must("get", "web", "env") == "{\n  \"a.b\": 1\n}\n")
            let all = try project.json("get", "web")
            #expect(all["container"]?["stateless"] == true && all["mapping"]?["limits"]?["memory"] == "512M")
            #expect(try project.pm("get", "web", "drain").code == 66)
            let unknown = try project.pm("get", "web", "limit")
            #expect(unknown.code == 65 && unknown.errors.contains("limits"), "\(unknown)")
            #expect(try project.pm("get", "wbe").errors.contains("did you mean \"web\"?"))
        }
    }
}
