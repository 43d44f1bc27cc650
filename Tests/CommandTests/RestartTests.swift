import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm restart` {
    private func running(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            try body(project)
        }
    }

    @Test func `replaces the process, keeps its arguments and counts no crash`() async throws {
        try await running { project in
            try project.must("start", "web", "--wait", "first", "second")
            let old = try project.status("web")["pid"]
            let text = try project.must("restart", "web", "--wait")
            let row = try project.status("web")
            #expect(text == "web is up, pid \(row["pid"]?.int ?? 0)\n")
            #expect(row["pid"] != old)
            #expect(row["ready"]?.bool == true)
            #expect(row["restarts"]?.int == 0)
            let log = lines(try project.must("log", "web"))
            #expect(log.filter { $0.contains("web got first second") }.count == 2)
        }
    }

    @Test func `starts what is down, and answers in JSON`() async throws {
        try await running { project in
            let answer = try project.json("restart", "web", "--wait")
            #expect(keys(answer) == ["name", "pid", "state", "ready", "execPath", "args", "cwd"])
            #expect(answer["pid"] == (try project.status("web")["pid"]))
        }
    }

    @Test func `--inspect puts Node under its inspector`() async throws {
        try await TestProject.with { project in
            try project.configure(["svc": try project.answering()])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            #expect(try !project.must("log", "svc").contains("Debugger listening"))
            try project.must("restart", "svc", "--inspect", "--wait")
            #expect(try project.must("log", "svc").contains("Debugger listening on ws://"))
        }
    }

    @Test func `is refused for pm itself, and for what does not exist`() async throws {
        try await running { project in
            let own = try project.pm("restart", "pm")
            #expect(own.code == 64)
            #expect(own.errors.hasPrefix("pm: To restart pm: pm stop, then pm start pm.\n"))
            let ghost = try project.pm("restart", "ghost")
            #expect(ghost.code == 66)
            #expect(ghost.errors == "pm: there is no service ghost\nhint: pm ls shows what there is\n")
        }
    }
}
