import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm doctor` {
    private func checks(_ outcome: Outcome) throws -> [String: String] {
        let rows = try JSONValue(parsing: outcome.output)["checks"]?.array ?? []
        return Dictionary(
            rows.map { ($0["check"]?.string ?? "", $0["outcome"]?.string ?? "") },
            uniquingKeysWith: { first, _ in first })
    }

    @Test func `finds nothing wrong with a daemon that runs, and checks each part`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            let outcome = try project.pm("doctor", "-o", "json")
            #expect(outcome.code == 0, "\(outcome)")
            let found = try checks(outcome)
            let well = ["node", "open files", "configuration", "permissions", "socket", "services", "drift"]
            for check in well + ["versions", "state folders"] { #expect(found[check] == "ok", "\(check): \(outcome)") }
            for check in ["cgroups", "journal", "lingering"] { #expect(found[check] != nil, "\(check)") }
            let text = try project.must("doctor")
            #expect(text.contains(#/\n(ok|warning) +daemon /#), "\(text)")
        }
    }

    @Test func `names the error and the next step, and exits with 1`() async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", #"{"mapping": {"web": {"container": 7}}}"#)
            let outcome = try project.pm("doctor")
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.output.contains(#/\nerror +configuration .*container/#), "\(outcome)")
            #expect(outcome.output.contains("\n  hint: "))
            // Without Node, which no service needs here.
            let other = try project.run([TestPaths.pm, "doctor", "-o", "json"], adding: ["PATH": "/nowhere"])
            #expect(try checks(other)["node"] == "warning")
        }
    }

    @Test func `a file that everybody can change is an error`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.run(["chmod", "666", ".pm.config.json"])
            let outcome = try project.pm("doctor")
            #expect(outcome.code == 1 && outcome.output.contains("chmod o-w"), "\(outcome)")
        }
    }

    @Test func `--prune removes what a project that is gone has left, unless its lock is held`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            try project.must("stop")
            let state = try #require(project.stateDirectory)
            #expect(try checks(project.pm("doctor", "-o", "json"))["state folders"] == "ok")
            try project.run(["rm", ".pm.config.json"])
            #expect(try checks(project.pm("doctor", "-o", "json"))["state folders"] == "warning")
            do {
                let lock = try Files.lock(state + "/lock")
                #expect(try JSONValue(parsing: project.pm("doctor", "--prune", "-o", "json").output)["pruned"] == [])
                withExtendedLifetime(lock) {}
            }
            // A copy under another name is nobody's, and stays.
            try project.run(["cp", "-R", state, state + "-copy"])
            let pruned = try project.pm("doctor", "--prune")
            #expect(
                pruned.errors.contains("pm: removing \(state), of \(project.directory)/.pm.config.json"), "\(pruned)")
            #expect(try Files.status(state) == nil)
            #expect(try Files.status(state + "-copy/lock") != nil)
        }
    }
}
