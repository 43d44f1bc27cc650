import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct Dependencies {
    /// A service that notes when it starts, and is ready a moment later.
    private func service(_ project: TestProject, _ name: String) throws {
        try project.script(
            "\(name).sh",
            "echo start-\(name) >> order; sleep 0.1; echo ready-\(name) >> order; echo up; exec sleep 1000")
    }

    private func mapping(_ names: [String]) -> JSONValue {
        .object(JSONObject(names.map { ($0, ["container": .string($0), "ready": ["log": "up"]]) }))
    }

    @Test func `start first, wait until they are ready, and stop last`() async throws {
        try await TestProject.with { project in
            for name in ["api", "users", "cache"] { try service(project, name) }
            try project.configure(
                [
                    "api": ["path": "./api.sh", "dependencies": ["users", "cache"]],
                    "users": ["path": "./users.sh", "dependencies": ["cache"]],
                    "cache": ["path": "./cache.sh"],
                ], mapping: mapping(["api", "users", "cache"]))
            try project.startDaemon()
            try project.must("start", "api", "--wait")
            let order = try project.read("order").split(separator: "\n").map(String.init)
            #expect(
                order == ["start-cache", "ready-cache", "start-users", "ready-users", "start-api", "ready-api"])
        }
    }

    @Test func `that run already are not waited for again`() async throws {
        try await TestProject.with { project in
            for name in ["web", "db"] { try service(project, name) }
            try project.configure(
                ["web": ["path": "./web.sh", "dependencies": ["db"]], "db": ["path": "./db.sh"]],
                mapping: mapping(["web", "db"]))
            try project.startDaemon()
            try project.must("start", "db", "--wait")
            let pid = try project.status("db")["pid"]?.int
            try project.must("start", "web", "--wait")
            #expect(try project.status("db")["pid"]?.int == pid)
        }
    }

    @Test func `in a circle are refused with the circle`() async throws {
        try await TestProject.with { project in
            try service(project, "a")
            try project.configure([
                "A": ["path": "./a.sh", "dependencies": ["B"]], "B": ["path": "./a.sh", "dependencies": ["C"]],
                "C": ["path": "./a.sh", "dependencies": ["A"]],
            ])
            try project.startDaemon()
            let outcome = try project.pm("start", "A")
            #expect(outcome.code == 73)
            #expect(outcome.errors.contains("Circular dependency detected: A -> B -> C -> A"))
        }
    }

    @Test func `that do not exist are named`() async throws {
        try await TestProject.with { project in
            try service(project, "a")
            try project.configure(["a": ["path": "./a.sh", "dependencies": ["ghost", "phantom"]]])
            try project.startDaemon()
            let outcome = try project.pm("start", "a")
            #expect(outcome.code == 66)
            #expect(outcome.errors.contains("ghost") && outcome.errors.contains("phantom"))
            let reply = try project.client().call("start", ["a"])
            #expect(reply?["error"]?["statusCode"]?.int == 404)
        }
    }

    @Test func `that fail fail their dependents with the reason and the output`() async throws {
        try await TestProject.with { project in
            try service(project, "web")
            try project.script("db.sh", "echo no space on the moon >&2; exit 5")
            try project.configure(
                ["web": ["path": "./web.sh", "dependencies": ["db"]], "db": ["path": "./db.sh"]],
                mapping: ["db": ["container": "db", "ready": "notify", "restart": "never"]])
            try project.startDaemon()
            let outcome = try project.pm("start", "web", "--wait")
            #expect(outcome.code == 70)
            #expect(outcome.errors.contains("db"))
            #expect(outcome.errors.contains("exit code 5"))
            #expect(outcome.errors.contains("no space on the moon"))
            #expect(try project.status("web")["pid"] == nil)
        }
    }
}
