import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm unmap` {
    private func configuration(_ project: TestProject) throws -> JSONValue {
        try JSONValue(parsing: try project.read(".pm.config.json"))
    }

    @Test func `removes what pm map has registered, and nothing else`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.script("new.sh", "echo up; exec sleep 1000")
            try project.must("map", "new", "./new.sh")
            try project.must("start", "new", "--wait")
            let running = try project.pm("unmap", "new")
            #expect(running.code == 73)
            #expect(running.errors == "pm: new runs\nhint: pm stop new\n")
            try project.must("stop", "new")
            #expect(try project.must("unmap", "new") == "new removed\n")
            #expect(keys(try configuration(project)["containers"]) == ["web"])
            #expect(keys(try configuration(project)["mapping"]).contains("web"))
            #expect(try !project.must("status").contains("new"))
            #expect(try project.read("new.sh").contains("sleep"))
            let again = try project.pm("unmap", "new")
            #expect(again.code == 66)
            #expect(again.errors.hasPrefix("pm: there is no service new\nhint: "))
            #expect(try project.json("unmap", "web") == ["removed": ["mapping", "container"]])
        }
    }

    @Test func `keeps a definition that another service uses`() async throws {
        try await TestProject.with { project in
            let sleeper = try project.sleeper()
            try project.configure(
                ["web": sleeper, "db": sleeper, "api": ["path": "./web.sh", "dependencies": ["db"]]],
                mapping: ["web": ["container": "web"], "web2": ["container": "web"]])
            try project.startDaemon()
            let kept = try project.pm("unmap", "web")
            #expect(kept.code == 0 && kept.output == "web removed\n")
            #expect(kept.errors == "pm: keeps the definition web, which web2 uses\n")
            let used = try project.pm("unmap", "db")
            #expect(used.code == 73 && used.errors.hasPrefix("pm: api uses the definition db\n"), "\(used)")
            #expect(keys(try configuration(project)["containers"]) == ["web", "db", "api"])
            try project.must("unmap", "web2")
            #expect(try project.pm("unmap", "web").code == 0)
            #expect(keys(try configuration(project)["containers"]) == ["db", "api"])
        }
    }

    @Test func `is refused for pm, for an instance that runs under another name, and for what waits`() async throws {
        try await TestProject.with { project in
            try project.configure(
                [
                    "web": try project.sleeper(), "late": ["path": "./web.sh", "dependencies": ["missing"]],
                ], mapping: ["late": ["container": "late", "autostart": true]])
            try project.startDaemon()
            #expect(try project.pm("unmap", "pm").code == 73)
            try project.must("start", "web", "--name", "w2")
            let running = try project.pm("unmap", "web")
            #expect(running.code == 73 && running.errors == "pm: w2 runs\nhint: pm stop w2\n", "\(running)")
            try project.must("stop", "w2")
            try project.must("unmap", "web")
            #expect(try !project.must("status").contains("w2"))
            try project.until("late", "waiting") { $0["state"] == "waiting" }
            let waiting = try project.pm("unmap", "late")
            #expect(waiting.code == 73)
            #expect(waiting.errors == "pm: late waits to be started\nhint: pm stop late\n", "\(waiting.errors)")
            try project.must("stop", "late")
            try project.must("unmap", "late")
            #expect(try project.json("ls") == [:])
        }
    }
}
