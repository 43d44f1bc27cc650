import PMTestSupport
import Testing

@Suite(.serialized) struct `pm is-active` {
    @Test func `tells the state, and by its exit code whether all services are up`() async throws {
        try await TestProject.with { project in
            let sleeper = try project.sleeper()
            try project.configure(["web": sleeper, "db": sleeper], mapping: project.mapping("web"))
            #expect(try project.pm("is-active", "web").code == 69)
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            #expect(try project.must("is-active", "web") == "up\n")
            #expect(try project.must("is-active", "web", "--quiet") == "")
            let both = try project.pm("is-active", "web", "db")
            #expect(both.code == 1 && both.output == "up\ndown\n", "\(both)")
            #expect(try project.pm("is-active", "ghost").code == 66)
            #expect(try project.json("is-active", "web")[0]?["state"] == "up")
        }
    }

    @Test func `does not take a service for up that is not ready`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["slow": ["path": "/bin/sleep"]],
                mapping: ["slow": ["container": "slow", "cli": ["1000"], "ready": ["log": "never", "timeout": "1m"]]])
            try project.startDaemon()
            try project.must("start", "slow")
            let outcome = try project.pm("is-active", "slow")
            #expect(outcome.code == 1 && outcome.output == "starting\n", "\(outcome)")
        }
    }
}
