import PMTestSupport
import Testing

@Suite(.serialized) struct `pm pid` {
    @Test func `prints process ids, and nothing for what does not run`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            let none = try project.pm("pid", "web")
            #expect(none.code == 1 && none.output == "" && none.errors == "", "\(none)")
            try project.must("start", "web", "--wait")
            let pid = try #require(try project.status("web")["pid"]?.int)
            #expect(try project.must("pid", "web") == "\(pid)\n")
            #expect(try project.json("pid", "web")[0]?.int == pid)
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            #expect(try project.must("pid", "pm") == "\(daemon)\n")
            #expect(try project.pm("pid", "ghost").code == 66)
        }
    }
}
