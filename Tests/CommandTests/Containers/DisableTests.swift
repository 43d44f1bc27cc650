import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm disable` {
    @Test func `writes autostart, with a daemon and without`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            for _ in 1...2 {
                #expect(try project.must("disable", "web").hasPrefix("web "))
                let json = try JSONValue(parsing: try project.read(".pm.config.json"))
                #expect(json["mapping"]?["web"]?["autostart"] == .bool(false))
                if try project.pm("status").code == 69 { try project.startDaemon() }
            }
            #expect(try project.pm("disable", "nothing").code == 66)
        }
    }
}
