import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm status` {
    private func running(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure(
                [
                    "web": try project.sleeper(),
                    "a-service-with-a-name-of-many-columns": try project.sleeper("long"),
                ], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try body(project)
        }
    }

    @Test func `tells which daemon and file it talks to, and a row for each service`() async throws {
        try await running { project in
            let outcome = try project.pm("status")
            let pid = try project.status("pm")["pid"]?.int ?? 0
            let file = "\(project.directory)/.pm.config.json"
            #expect(
                outcome.errors.wholeMatch(
                    of: /pm [0-9.]+, project daemon of (.+), pid ([0-9]+)\n2 services: 1 ready, 1 down\n/
                ).map {
                    "\($0.1) \($0.2)"
                } == "\(file) \(pid)")
            let rows = lines(outcome.output).map { $0.split(separator: " ").map(String.init) }
            #expect(
                rows[0] == ["NAME", "STATE", "READY", "PID", "UPTIME", "MEMORY", "CPU", "RESTARTS", "LAST", "EXIT"])
            #expect(rows.dropFirst().map { $0[0] } == ["pm", "web", "a-service-with-a-name-of-many-columns"])
            #expect(Array(rows[2][..<4]) == ["web", "up", "yes", "\(try project.status("web")["pid"]?.int ?? 0)"])
            #expect(Array(rows[3][1...]) == ["down", "-", "-", "-", "-", "-", "0", "-"])
        }
    }

    @Test func `NAME shows one service, and the last output of its last death`() async throws {
        try await running { project in
            let pid = try #require(try project.status("web")["pid"]?.int)
            kill(pid_t(pid), SIGKILL)
            try project.until("web", "back") { $0["restarts"]?.int == 1 && $0["pid"] != nil }
            let output = try project.must("status", "web")
            #expect(
                output.contains(/web +up +yes +[0-9]+ +[0-9]+m?s +[0-9.]+[KM] +[0-9]+m?s +1 +SIGKILL, [0-9]+m?s ago/))
            #expect(output.contains(/\nlast output before SIGKILL, [0-9]+m?s ago:\n  \| web got \n  \| up\n/))
            let death = try project.json("status", "web")[0]?["lastExit"]
            #expect(death?["signal"] == "SIGKILL")
            #expect(death?["lastLines"] == ["web got ", "up"])
        }
    }

    @Test func `in JSON has the documented members`() async throws {
        try await running { project in
            let rows = try #require(try project.json("status").array)
            #expect(rows.map { $0["name"]?.string ?? "" }.prefix(2) == ["pm", "web"])
            let members = Set(keys(rows[1]))
            let documented: Set<String> = [
                "name", "running", "folder", "stateless", "type", "cwd", "commandable", "wanted", "state", "ready",
                "pid",
                "startedAt", "uptimeMs", "restarts", "memoryBytes", "cpuMs", "tasks",
            ]
            #expect(members == documented)
            #expect(rows[1]["running"]?.bool == true)
            #expect(rows[2]["running"]?.bool == false && rows[2]["pid"] == nil)
            #expect(rows[2]["wanted"] == "down")
        }
    }

    @Test func `fits COLUMNS and the width of a terminal`() async throws {
        try await running { project in
            let natural = try project.must("status")
            #expect(width(natural) > 60)
            for columns in [20, 40, 60] {
                let text = try project.run([TestPaths.pm, "status"], adding: ["COLUMNS": "\(columns)"]).output
                #expect(width(text) <= columns)
                #expect(lines(text).count == 4)
            }
            let shown = try project.onTerminal("NO_COLOR=1 $PM status 2>&-", columns: 50)
            #expect(shown.code == 0)
            #expect((40...50).contains(width(shown.output)))
        }
    }

    @Test func `has colour on a terminal only, and never with NO_COLOR`() async throws {
        try await running { project in
            let coloured = try project.onTerminal("$PM status").output
            #expect(coloured.contains("\u{1B}[32mup"))
            #expect(try !project.onTerminal("$PM status", adding: ["NO_COLOR": "1"]).output.contains("\u{1B}"))
            #expect(try !project.onTerminal("$PM status", adding: ["TERM": "dumb"]).output.contains("\u{1B}"))
            #expect(try !project.onTerminal("$PM status 2>&1 | cat").output.contains("\u{1B}"))
        }
    }

    @Test func `is refused without daemon, and for what does not exist`() async throws {
        try await TestProject.with { project in
            #expect(try project.pm("status").code == 69)
            try project.startDaemon()
            let ghost = try project.pm("status", "ghost")
            #expect(ghost.code == 66)
            #expect(ghost.errors == "pm: there is no service ghost\nhint: pm ls shows what there is\n")
        }
    }
}
