import JSON
import PMTestSupport
import Testing

/// Services that the configuration starts, and that cannot be started yet.
@Suite(.serialized) struct `A service that is started with the daemon` {
    private static func problem(_ row: JSONValue) -> String { row["problems"]?[0]?.string ?? "" }

    @Test func `waits for what it needs however often that dies, says so, and is started when it is ready`()
        async throws
    {
        try await TestProject.with { project in
            try project.script("db", "[ -e go ] || exit 1; echo serving; exec sleep 1000")
            try project.script("api", "exec sleep 1000")
            try project.configure(
                [
                    "db": ["path": "./db"], "api": ["path": "./api", "dependencies": ["db"]],
                    "front": ["path": "./api", "dependencies": ["api"]],
                ],
                mapping: [
                    "db": [
                        "container": "db", "autostart": true, "ready": ["log": "serving"],
                        "restart": ["policy": "always", "delay": "10ms", "maxDelay": "50ms", "limit": 0],
                    ],
                    "api": ["container": "api", "autostart": true], "front": ["container": "front", "autostart": true],
                ])
            try project.startDaemon()
            for name in ["api", "front"] {
                try project.until(name, "waiting for db") { row in
                    row["state"]?.string == "waiting"
                        && Self.problem(row).hasPrefix("it waits for db, and is started when")
                }
                #expect(try project.status(name)["wanted"]?.string == "up")
            }
            try project.write("go", "")
            for name in ["db", "api", "front"] { try project.until(name, "up") { $0["state"]?.string == "up" } }
            #expect(try project.status("api")["problems"] == nil)
        }
    }

    @Test func `goes on to wait when somebody starts it in between, and that fails`() async throws {
        try await TestProject.with { project in
            try project.script("db", "[ -e go ] || exit 1; echo serving; exec sleep 1000")
            try project.script("api", "exec sleep 1000")
            let restart: JSONValue = ["policy": "always", "delay": "10ms", "maxDelay": "50ms", "limit": 0]
            try project.configure(
                [
                    "db": ["path": "./db"], "api": ["path": "./api", "dependencies": ["db"]],
                    "lone": ["path": "./api", "dependencies": ["ghost"]],
                ],
                mapping: [
                    "db": ["container": "db", "autostart": true, "ready": ["log": "serving"], "restart": restart],
                    "api": ["container": "api", "autostart": true], "lone": ["container": "lone", "autostart": true],
                ])
            try project.startDaemon()
            for name in ["api", "lone"] {
                try project.until(name, "waiting") { $0["state"] == "waiting" }
                #expect(try project.pm("start", name).code != 0)
                let row = try project.status(name)
                #expect(row["state"] == "waiting" && row["wanted"] == "up", "\(row.text)")
            }
            try project.write("go", "")
            try project.until("api", "up") { $0["state"] == "up" }
            try project.must("map", "ghost", "./api")
            try project.must("start", "ghost", "--wait")
            try project.until("lone", "up") { $0["state"] == "up" }
        }
    }

    @Test func `waits for what was stopped, until somebody starts that, or stops it`() async throws {
        try await TestProject.with { project in
            try project.script("slow", "while [ ! -e go ]; do sleep 0.02; done; echo serving; exec sleep 1000")
            try project.script("api", "exec sleep 1000")
            let dependent: JSONValue = ["path": "./api", "dependencies": ["slow"]]
            try project.configure(
                ["slow": ["path": "./slow"], "api": dependent, "other": dependent],
                mapping: [
                    "slow": ["container": "slow", "ready": ["log": "serving", "timeout": "1m"]],
                    "api": ["container": "api", "autostart": true], "other": ["container": "other", "autostart": true],
                ])
            try project.startDaemon()
            try project.until("slow", "running") { $0["pid"]?.int != nil }
            try project.must("stop", "slow")
            try project.until("api", "waiting") { Self.problem($0).contains("which needs slow: it was stopped") }
            try project.must("stop", "other")
            try project.write("go", "")
            try project.must("start", "slow", "--wait")
            try project.until("api", "up") { $0["state"]?.string == "up" }
            let other = try project.status("other")
            #expect(other["state"]?.string == "down" && other["problems"] == nil)
        }
    }

    @Test func `is named by pm start pm when it cannot be started, with the reason and the next try`() async throws {
        try await TestProject.with { project in
            try project.script("db", "exit 3")
            try project.script("up", "exec sleep 1000")
            try project.configure(
                ["db": ["path": "./db"], "api": ["path": "./up", "dependencies": ["db"]], "up": ["path": "./up"]],
                mapping: [
                    "db": [
                        "container": "db", "autostart": true, "ready": ["log": "serving"],
                        "restart": ["policy": "always", "delay": "1m", "maxDelay": "1m"],
                    ],
                    "api": ["container": "api", "autostart": true], "up": ["container": "up", "autostart": true],
                ])
            let text = try project.pm("start", "pm", "--wait")
            #expect(text.code == 0)
            let lines = text.errors.split(separator: "\n").sorted()
            #expect(lines.count == 2, "\(lines)")
            let api =
                "pm: api: it waits for db, and is started when that is ready: db ended: exit code 3; pm tries to start db again in "
            #expect(lines.first?.hasPrefix(api) == true, "\(lines)")
            #expect(lines.last?.hasPrefix("pm: db: it ended (exit code 3), and pm tries again in ") == true)
            let row = try project.status("api")
            #expect(row["waiting"] == ["for": "db", "reason": "db ended: exit code 3"])
            #expect((row["nextTryMs"]?.int ?? 0) > 0)
            try project.must("stop")
            let json = try JSONValue(parsing: project.pm("start", "pm", "--wait", "-o", "json").output)
            #expect(json["unstarted"]?.array?.compactMap { $0["name"]?.string }.sorted() == ["api", "db"])
        }
    }

    @Test func `waits for another configuration where what it needs is missing in this one`() async throws {
        try await TestProject.with { project in
            for name in ["api", "db"] { try project.script(name, "exec sleep 1000") }
            try project.configure(
                ["api": ["path": "./api", "dependencies": ["db"]]],
                mapping: ["api": ["container": "api", "autostart": true]])
            try project.startDaemon()
            try project.until("api", "waiting") { row in
                row["state"]?.string == "waiting" && Self.problem(row).hasPrefix("it waits for another configuration: ")
            }
            try project.must("map", "db", "./db")
            try project.until("api", "up") { $0["state"]?.string == "up" }
        }
    }
}
