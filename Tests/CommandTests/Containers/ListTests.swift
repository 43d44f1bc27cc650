import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm ls` {
    @Test func `shows what can be started`() async throws {
        try await TestProject.with { project in
            try project.configure([
                "web": ["path": "./web.sh", "stateless": true, "dependencies": ["db", "cache"]],
                "db": ["path": "./db/commands.json", "commandable": true],
                "cache": ["path": "./cache.js", "type": "worker"],
            ])
            try project.startDaemon()
            #expect(
                lines(try project.must("ls")) == [
                    "NAME   TYPE    COMMANDABLE  STATELESS  DEPENDS ON  PATH",
                    "web    nodejs  no           yes        db, cache   ./web.sh",
                    "db     nodejs  yes          no         -           ./db/commands.json",
                    "cache  worker  no           no         -           ./cache.js",
                ])
            let json = try project.json("ls")
            #expect(keys(json) == ["web", "db", "cache"])
            #expect(json["web"]?["dependencies"] == ["db", "cache"])
            #expect(json["web"]?["stateless"] == true && json["db"]?["commandable"] == true)
            #expect(json["cache"]?["type"] == "worker" && json["cache"]?["path"] == "./cache.js")
        }
    }

    @Test func `fits COLUMNS and the width of a terminal; the name stays`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": ["path": "./a/very/long/path/to/a/program/that/does/not/fit.js"]])
            try project.startDaemon()
            for columns in [10, 30, 70] {
                let text = try project.run([TestPaths.pm, "ls"], adding: ["COLUMNS": "\(columns)"]).output
                #expect(width(text) <= columns)
                #expect(lines(text).last?.hasPrefix("web") == true)
            }
            let shown = try project.onTerminal("NO_COLOR=1 $PM ls", columns: 62)
            #expect((50...62).contains(width(shown.output)))
            #expect(try project.must("ls").contains("/that/does/not/fit.js\n"))
        }
    }

    @Test func `of an empty configuration is a heading, or an empty object`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            #expect(lines(try project.must("ls")).count == 1)
            #expect(try project.json("ls") == [:])
        }
    }
}
