import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm stop` {
    private func running(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "trap 'echo web >> ends; exit' TERM; echo up; while :; do sleep 0.02; done")
            try project.script("db.sh", "trap 'echo db >> ends; exit' TERM; echo up; while :; do sleep 0.02; done")
            try project.configure(
                ["web": ["path": "./web.sh", "dependencies": ["db"]], "db": ["path": "./db.sh"]],
                mapping: project.mapping("web", "db"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try body(project)
        }
    }

    /// A service that does not end by any signal but SIGKILL, for which its stop sequence waits a minute.
    private func deaf(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script("deaf.sh", "trap '' TERM INT; echo up; while :; do sleep 0.02; done")
            try project.configure(
                ["deaf": ["path": "./deaf.sh"]],
                mapping: [
                    "deaf": [
                        "container": "deaf", "ready": ["log": "up"], "stop": ["signal": "SIGTERM", "wait": "60s"],
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "deaf", "--wait")
            try body(project)
        }
    }

    @Test func `several names, patterns and all stop several services, and not the daemon`() async throws {
        try await TestProject.with { project in
            try project.script("s.sh", "exec sleep 1000")
            let container: JSONValue = ["path": "./s.sh"]
            try project.configure(["a1": container, "a2": container, "b": container, "c": container])
            try project.startDaemon()
            for name in ["a1", "a2", "b", "c"] { try project.must("start", name, "--wait") }
            let before = try project.status("a1")["pid"]?.int
            let restarted = lines(try project.must("restart", "a*", "--wait"))
            #expect(restarted.count == 2 && restarted[0].hasPrefix("a1 is up") && restarted[1].hasPrefix("a2 is up"))
            #expect(try project.status("a1")["pid"]?.int != before)
            #expect(try project.must("stop", "b", "a1", "b") == "b stopped\na1 stopped\n")
            let none = try project.pm("stop", "x*")
            #expect(none.code == 66 && none.errors.contains("no service matches x*"), "\(none)")
            // The others are stopped before the refusal is shown.
            let partly = try project.pm("stop", "nobody", "c")
            #expect(partly.code == 66 && partly.output == "c stopped\n", "\(partly)")
            #expect(try project.must("logs", "a2", "--raw") == "")
            #expect(try project.must("stop", "all", "-o", "json").contains(#""stopped":["a2"]"#))
            #expect(try project.must("ps", "-o", "json").contains(#""name":"pm""#))
        }
    }

    @Test func `--now kills, also what is being stopped`() async throws {
        try await deaf { project in
            let stop = try project.start([TestPaths.pm, "stop", "deaf"])
            try project.until("deaf", "being stopped") { $0["state"] == "stopping" }
            #expect(try project.must("stop", "deaf", "--now") == "deaf stopped\n")
            #expect(stop.wait().output == "deaf stopped\n")
            #expect(try project.status("deaf")["lastExit"]?["signal"] == "SIGKILL")
            try project.must("start", "deaf", "--wait")
            let all = try project.run([TestPaths.pm, "stop", "--now"])
            #expect(lines(all.output).sorted() == ["deaf stopped", "pm stopped"] && all.code == 0)
        }
    }

    @Test func `^C on a terminal kills what still runs`() async throws {
        try await deaf { project in
            let own = ["PM": TestPaths.pm, "SHELL": "/bin/sh", "TERM": "xterm"]
            let stop = try project.start(["script", "-qec", "exec $PM stop deaf", "/dev/null"], adding: own)
            try project.until("deaf", "being stopped") { $0["state"] == "stopping" }
            try stop.write("\u{3}")
            let outcome = stop.wait(closingInput: false)
            #expect(outcome.code == 0)
            #expect(
                lines(outcome.output).contains {
                    $0.hasSuffix("killing all remaining processes; press Ctrl-C again to leave without waiting")
                })
            #expect(lines(outcome.output).contains("deaf stopped"))
        }
    }

    @Test func `on a terminal pm asks before it stops everything, and not with --all`() async throws {
        try await running { project in
            let own = ["PM": TestPaths.pm, "SHELL": "/bin/sh", "TERM": "xterm"]
            let asked = try project.start(["script", "-qec", "exec $PM stop", "/dev/null"], adding: own)
            try asked.write("n\n")
            let outcome = asked.wait(closingInput: false)
            #expect(outcome.code == 1 && outcome.output.contains("Go on? [y/N]"), "\(outcome)")
            #expect(outcome.output.contains("nothing was stopped"), "\(outcome)")
            #expect(try project.status("web")["pid"] != nil)
            let all = try project.onTerminal("$PM stop --all")
            #expect(all.code == 0 && all.output.contains("pm stopped") && !all.output.contains("[y/N]"), "\(all)")
        }
    }

    @Test(arguments: [["stop"], ["stop", "pm"]])
    func `without a name, or of pm, stops all in reverse order and then the daemon`(_ words: [String]) async throws {
        try await running { project in
            let outcome = try project.run([TestPaths.pm] + words)
            #expect(outcome.code == 0)
            #expect(lines(outcome.output).sorted() == ["db stopped", "pm stopped", "web stopped"])
            #expect(try project.read("ends") == "web\ndb\n")
            #expect(try Files.status(project.socket) == nil)
            #expect(project.processes().isEmpty)
            let again = try project.run([TestPaths.pm] + words)
            #expect(again.code == 69)
            #expect(
                again.errors
                    == "pm: pm is not running for \(project.directory)/.pm.config.json\nhint: pm start pm\n")
        }
    }

    @Test func `NAME stops it, says when it was not running, and leaves the others`() async throws {
        try await running { project in
            let stopped = try project.must("stop", "web")
            #expect(stopped == "web stopped\n")
            #expect(try project.must("stop", "web") == "web was not running\n")
            #expect(try project.status("web")["state"] == "down")
            #expect(try project.status("web")["lastExit"]?["requested"]?.bool == true)
            #expect(try project.status("db")["pid"] != nil)
            #expect(try project.json("stop", "db") == ["stopped": ["db"], "survivors": []])
            #expect(try project.json("stop", "db") == ["stopped": [], "survivors": []])
        }
    }

    @Test func `NAME is refused when there is none, with a hint`() async throws {
        try await running { project in
            let outcome = try project.pm("stop", "ghost")
            #expect(outcome.code == 66)
            #expect(outcome.errors == "pm: there is no service ghost\nhint: pm ls shows what there is\n")
            let report = try JSONValue(parsing: try project.pm("-o", "json", "stop", "ghost").errors)
            #expect(report["exitCode"]?.int == 66)
            #expect(report["error"]?["statusCode"]?.int == 404)
            #expect(report["error"]?["hint"]?.string == "pm ls shows what there is")
            #expect(try project.pm("stop", "web", "pm").code == 64)
        }
    }
}
