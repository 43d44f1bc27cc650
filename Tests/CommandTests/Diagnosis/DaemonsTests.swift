import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm daemons` {
    /// The row of the project's daemon; others may run for the same user.
    private func row(_ project: TestProject, _ arguments: String...) throws -> JSONValue? {
        let outcome = try project.run([TestPaths.pm, "daemons", "-o", "json"] + arguments)
        let rows = try JSONValue(parsing: outcome.output).array ?? []
        return rows.first { $0["file"]?.string == "\(project.directory)/.pm.config.json" }
    }

    @Test func `lists a daemon that runs, from any folder, and one that has ended only with --all`() async throws {
        try await TestProject.with { project in
            let sleeper = try project.sleeper()
            try project.configure(["web": sleeper, "db": sleeper])
            #expect(try row(project, "--all") == nil)
            try project.startDaemon()
            let running = try row(project)
            #expect(
                keys(running) == [
                    "scope", "state", "stateDirectory", "file", "fileExists", "socket", "pid", "version", "services",
                ])
            #expect(running?["state"] == "running" && running?["services"]?.int == 2)
            #expect(running?["pid"] == (try project.status("pm")["pid"]))
            #expect(running?["socket"]?.string == project.socket)
            let table = try project.run([TestPaths.pm, "daemons"], in: "../home")
            #expect(table.output.contains("\(project.directory)/.pm.config.json"), "\(table)")
            try project.must("stop")
            #expect(try row(project) == nil)
            #expect(try row(project, "--all")?["state"] == "ended")
            #expect(try project.pm("status").code == 69)
        }
    }

    @Test func `a lock that is held without an answer is shown`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            try project.must("stop")
            let state = try #require(project.stateDirectory)
            let lock = try Files.lock(state + "/lock")
            #expect(try row(project)?["state"] == "not answering")
            withExtendedLifetime(lock) {}
        }
    }
}
