import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm version` {
    @Test func `tells its own, and that of the daemon with its file and socket`() async throws {
        try await TestProject.with { project in
            let offline = lines(try project.must("version"))
            #expect(offline.count == 2)
            #expect(offline[0].contains(/^pm [0-9]+\.[0-9]+\.[0-9]+$/))
            #expect(offline[1] == "daemon: not running")
            #expect(try project.json("version")["daemon"] == .null)
            #expect("pm " + (try project.must("--version")) == offline[0] + "\n")
            try project.startDaemon()
            let daemon = try project.json("version")["daemon"]
            #expect(keys(daemon) == ["version", "protocol", "pid", "config", "scope", "socket"])
            #expect(daemon?["socket"]?.string == "jsonrpc+unix://\(project.socket)")
            let own = offline[0].dropFirst(3)
            let text = lines(try project.must("version"))[1]
            let pid = try project.status("pm")["pid"]?.int ?? 0
            #expect(
                text
                    == "daemon: \(own), project daemon of \(project.directory)/.pm.config.json, pid \(pid), jsonrpc+unix://\(project.socket)"
            )
        }
    }
}
