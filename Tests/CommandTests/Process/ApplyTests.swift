import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm apply` {
    /// Three services that run: `api` needs `db`, and `other` nothing.
    private func running(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            let sleeper = try project.sleeper("svc")
            try project.configure(
                [
                    "db": sleeper, "other": sleeper,
                    "api": ["path": "./svc.sh", "dependencies": ["db"]],
                ], mapping: project.mapping("db", "api", "other"))
            try project.startDaemon()
            try project.must("start", "api", "other", "--wait")
            try body(project)
        }
    }

    private func pids(_ project: TestProject) throws -> [String: Int] {
        let rows = try project.json("status").array ?? []
        return Dictionary(
            rows.compactMap { row in row["name"]?.string.flatMap { name in row["pid"]?.int.map { (name, $0) } } }
        ) { first, _ in first }
    }

    private func steps(_ answer: JSONValue) -> [String] {
        (answer["steps"]?.array ?? []).map { step in
            let keys = step["keys"]?.array?.compactMap(\.string).joined(separator: ",") ?? ""
            return
                "\(step["name"]?.string ?? "") \(step["action"]?.string ?? "") \(keys) \(step["state"]?.string ?? "")"
        }
    }

    @Test func `touches what has changed, in the order of dependencies, and nothing else`() async throws {
        try await running { project in
            #expect(try project.json("apply") == ["steps": []])
            let before = try pids(project)
            try project.must("set", "db", "env.A", "1")
            try project.must("set", "api", "cli", "[\"x\"]")
            try project.must("set", "other", "restart", "always")
            #expect(try project.status("api")["drift"] == ["cli"])
            let status = try project.pm("status")
            #expect(status.output.contains("up, outdated"), "\(status)")
            #expect(status.errors.contains("db is older than its configuration: env"), "\(status)")
            let plan = try project.json("apply", "--plan")
            #expect(
                steps(plan) == ["db restart env planned", "other live restart planned", "api restart cli planned"])
            #expect(plan["estimateMs"]?.int != nil)
            #expect(try pids(project) == before)
            #expect(
                steps(try project.json("apply")) == [
                    "db restart env done", "other live restart done", "api restart cli done",
                ])
            let after = try pids(project)
            #expect(after["other"] == before["other"] && after["db"] != before["db"] && after["api"] != before["api"])
            #expect(try project.must("log", "api").contains("svc got x"))
            #expect(try project.json("apply") == ["steps": []])
            #expect(try project.status("db")["drift"] == nil)
        }
    }

    @Test func `a live setting holds: a service with another policy is started again by it`() async throws {
        try await running { project in
            try project.must("set", "other", "restart", "never")
            try project.must("apply", "other")
            let pid = try #require(try pids(project)["other"])
            kill(pid_t(pid), SIGKILL)
            try project.until("other", "down, as its new policy says") { $0["state"] == "down" }
        }
    }

    @Test func `a daemon that takes over knows which services are older than their configuration`() async throws {
        try await running { project in
            let before = try pids(project)
            try project.must("set", "db", "env.A", "1")
            let daemon = try #require(before["pm"])
            kill(pid_t(daemon), SIGKILL)
            try project.until("db", "its drift under the next daemon") { $0["drift"] == ["env"] }
            #expect(try project.status("other")["drift"] == nil)
            #expect(steps(try project.json("apply")) == ["db restart env done"])
            #expect(try pids(project)["api"] == before["api"] && pids(project)["db"] != before["db"])
            // What is set back to what runs is no drift, and a new start has what the file says.
            #expect(try project.status("db")["drift"] == nil)
        }
    }

    @Test func `refuses a restart that would fail before anything is changed`() async throws {
        try await running { project in
            let before = try pids(project)
            try project.must("set", "db", "env.A", "1")
            try project.must("set", "other", "cwd", "./gone")
            let outcome = try project.pm("apply")
            #expect(outcome.code == 70 && outcome.errors.contains("cannot restart other"), "\(outcome)")
            #expect(try pids(project) == before)
            #expect(try project.must("apply", "db").contains("done"))
            #expect(try project.pm("apply", "ghost").code == 66)
        }
    }

    @Test func `starts what is new with autostart and stops what is gone`() async throws {
        try await running { project in
            let sleeper: JSONValue = ["path": "./svc.sh"]
            try project.configure(
                ["db": sleeper, "api": ["path": "./svc.sh", "dependencies": ["db"]], "new": sleeper],
                mapping: [
                    "db": ["ready": ["log": "up"]], "api": ["ready": ["log": "up"]],
                    "new": ["ready": ["log": "up"], "autostart": true],
                ])
            let done = steps(try project.json("apply"))
            #expect(Set(done) == ["other stop  done", "new start  done"], "\(done)")
            #expect(try project.status("new")["ready"] == true)
        }
    }

    @Test func `is done by pm itself after a change of the file where the configuration says so`() async throws {
        try await running { project in
            let before = try pids(project)
            try project.must("set", "pm", "apply", "auto")
            try project.must("set", "db", "env.A", "1")
            try project.until("db", "restarted with the new variable") { row in
                row["ready"] == true && row["pid"]?.int != before["db"] && row["drift"] == nil
            }
            #expect(try pids(project)["other"] == before["other"])
            try project.must("set", "db", "cwd", "./gone")
            try project.until("pm", "refusal") { row in
                row["problems"]?.array?.contains { $0.string?.contains("cannot restart db") == true } == true
            }
            #expect(try project.status("db")["ready"] == true)
        }
    }
}
