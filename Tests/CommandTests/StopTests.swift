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
            #expect(try project.pm("stop", "web", "db").code == 64)
        }
    }
}
