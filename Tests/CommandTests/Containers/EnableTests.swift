import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm enable` {
    @Test func `writes autostart, with a daemon and without`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            for _ in 1...2 {
                #expect(try project.must("enable", "web").hasPrefix("web "))
                let json = try JSONValue(parsing: try project.read(".pm.config.json"))
                #expect(json["mapping"]?["web"]?["autostart"] == .bool(true))
                if try project.pm("status").code == 69 { try project.startDaemon() }
            }
            #expect(try project.pm("enable", "nothing").code == 66)
        }
    }

    @Test func `takes several names, and patterns, but not pm`() async throws {
        try await TestProject.with { project in
            let sleeper = try project.sleeper()
            try project.configure(["web": sleeper, "worker": sleeper, "db": sleeper])
            let pattern = try project.must("enable", "w*", "db")
            #expect(
                pattern
                    == "web starts whenever pm starts\nworker starts whenever pm starts\ndb starts whenever pm starts\n"
            )
            try project.must("disable", "all")
            for name in ["web", "worker", "db"] { #expect(try project.json("get", name, "autostart") == false) }
            #expect(try project.pm("enable", "x*").errors.contains("no service matches x*"))
            #expect(try project.pm("enable", "pm").code == 65)
        }
    }
}
