import Glibc
import JSON
import PMTestSupport
import Testing

/// What happens to services when one that they need goes down (`onStop`).
@Suite(.serialized) struct `A dependency that goes down` {
    /// A mapping of the one script of these tests, which notes its starts and ends in the file `events`.
    private static func mapping(
        _ name: String, _ dependencies: [JSONValue] = [], instances: Int = 1
    ) -> (String, JSONValue) {
        let mapping: JSONValue = [
            "container": .string(instances > 1 ? "many" : "one"), "cli": [.string(name)], "ready": ["log": "up"],
            "dependencies": .array(dependencies), "instances": JSONValue(instances),
            "restart": ["policy": "always", "delay": "10ms", "maxDelay": "20ms", "limit": 0],
        ]
        return (name, mapping)
    }

    private static func need(_ name: String, _ onStop: String) -> JSONValue {
        ["name": .string(name), "onStop": .string(onStop)]
    }

    private static func running(
        _ mappings: [(String, JSONValue)], _ names: [String], _ body: (TestProject) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.script(
                "run",
                """
                [ ! -e "hold.$1" ] || exit 1
                echo "start $1" >>events
                trap 'echo "end $1" >>events; exit 0' TERM
                echo up
                sleep 1000 & wait
                """)
            let program: JSONValue = ["path": "./run"]
            let many: JSONValue = ["path": "./run", "stateless": true]
            try project.configure(
                ["one": program, "many": many], mapping: .object(JSONObject(mappings + [mapping("marker")])))
            try project.startDaemon()
            for name in names { try project.must("start", name, "--wait") }
            try body(project)
        }
    }

    private static func starts(_ project: TestProject, _ name: String) throws -> Int {
        try project.read("events").split(separator: "\n").count { $0 == "start \(name)" }
    }

    private static func pid(_ project: TestProject, _ name: String) throws -> Int? {
        try project.status(name)["pid"]?.int
    }

    /// Waits until a service runs in another process than before, and is ready.
    private static func replaced(_ project: TestProject, _ name: String, _ old: Int?) throws {
        try project.until(name, "replaced") { $0["ready"]?.bool == true && $0["pid"]?.int != old }
    }

    /// Waits until what is started at once has been started.
    private static func settle(_ project: TestProject) throws {
        try project.must("start", "marker", "--wait")
        try project.must("stop", "marker")
    }

    private static func kill(_ project: TestProject, _ name: String) throws {
        Glibc.kill(pid_t(try #require(try pid(project, name))), SIGKILL)
    }

    private static let four = [
        mapping("db"), mapping("plain", ["db"]), mapping("keep", [need("db", "keep")]),
        mapping("again", [need("db", "restart")]), mapping("with", [need("db", "stop")]),
    ]

    @Test func `that dies leaves its dependents alone, restarts them or stops them, as they say`() async throws {
        let names = ["db", "plain", "keep", "again", "with"]
        try await Self.running(Self.four, names) { project in
            var old: [String: Int?] = [:]
            for name in names { old[name] = try Self.pid(project, name) }
            try Self.kill(project, "db")
            for name in ["db", "again", "with"] { try Self.replaced(project, name, old[name] ?? nil) }
            try Self.settle(project)
            #expect(try names.map { try Self.starts(project, $0) } == [2, 1, 1, 2, 2])
            for name in ["plain", "keep"] { #expect(try Self.pid(project, name) == old[name] ?? nil) }
            #expect(try project.status("again")["problems"] == nil)
        }
    }

    @Test func `because it is stopped is stopped after those that do not run without it, and starts them again`()
        async throws
    {
        try await Self.running(Self.four, ["db", "plain", "keep", "again", "with"]) { project in
            let again = try Self.pid(project, "again")
            #expect(try project.must("stop", "db") == "db stopped\nwith stopped\n")
            let events = try project.read("events")
            #expect(events.hasSuffix("end with\nend db\n"), "\(events)")
            var row = try project.status("with")
            #expect(row["state"] == "waiting" && row["wanted"] == "up")
            #expect(row["waiting"] == ["for": "db", "reason": "db went down"])
            #expect(
                row["problems"]?[0]
                    == "it waits for db, and is started when that is ready: db went down; pm start db starts it")
            row = try project.status("again")
            #expect(row["pid"]?.int == again && row["problems"]?[0]?.string?.hasPrefix("it is restarted when") == true)
            try project.must("start", "db", "--wait")
            try Self.replaced(project, "again", again)
            try Self.replaced(project, "with", nil)
            // A service that is stopped itself does not wait any more.
            try project.must("stop", "db")
            #expect(try project.must("stop", "with") == "with stopped\n")
            try project.must("start", "db", "--wait")
            try Self.settle(project)
            #expect(try project.status("with")["state"] == "down")
        }
    }

    @Test func `restarts or stops a chain in order, and each service once`() async throws {
        let need = Self.need
        let chain = [
            Self.mapping("db"), Self.mapping("api", [need("db", "restart")]),
            Self.mapping("web", [need("db", "restart"), need("api", "restart")]),
            Self.mapping("jobs", [need("db", "stop")]), Self.mapping("mail", [need("jobs", "stop"), "db"]),
        ]
        let names = ["db", "api", "web", "jobs", "mail"]
        try await Self.running(chain, names) { project in
            for round in 2...3 {
                var old: [String: Int?] = [:]
                for name in names { old[name] = try Self.pid(project, name) }
                try Self.kill(project, "db")
                for name in names { try Self.replaced(project, name, old[name] ?? nil) }
                try Self.settle(project)
                #expect(try names.map { try Self.starts(project, $0) } == Array(repeating: round, count: 5))
                let starts = try project.read("events").split(separator: "\n").filter {
                    $0.hasPrefix("start ") && $0 != "start marker"
                }
                let last = starts.suffix(5).map { String($0.dropFirst(6)) }
                #expect(last.first == "db", "\(last)")
                for (before, after) in [("api", "web"), ("jobs", "mail")] {
                    let (first, second) = (last.firstIndex(of: before), last.firstIndex(of: after))
                    #expect(try #require(first) < #require(second), "\(last)")
                }
            }
        }
    }

    @Test func `is down when none of its instances is ready, and all instances of a dependent follow`() async throws {
        let mappings = [
            Self.mapping("db", instances: 2), Self.mapping("api", [Self.need("db", "restart")], instances: 2),
            Self.mapping("web", [Self.need("db", "stop")]),
        ]
        let dependents = ["api", "api#2", "web"]
        try await Self.running(mappings, ["db", "api", "web"]) { project in
            var old: [String: Int?] = [:]
            for name in dependents + ["db"] { old[name] = try Self.pid(project, name) }
            try Self.kill(project, "db")
            try Self.replaced(project, "db", old["db"] ?? nil)
            try Self.settle(project)
            for name in dependents { #expect(try Self.pid(project, name) == old[name] ?? nil) }
            try project.must("stop", "db")
            #expect(try project.status("web")["state"] == "waiting")
            try project.must("start", "db", "--wait")
            for name in dependents { try Self.replaced(project, name, old[name] ?? nil) }
        }
    }

    @Test(arguments: DaemonEnd.allCases) func `is waited for by the successor of the daemon, too`(end: DaemonEnd)
        async throws
    {
        try await Self.running(Self.four, ["db", "again", "with"]) { project in
            let (again, with) = (try Self.pid(project, "again"), try Self.pid(project, "with"))
            try project.must("stop", "db")
            for _ in 0..<2 { try end.replaceDaemon(of: project) }
            try Self.settle(project)
            #expect(try project.status("db")["state"] == "down")
            #expect(try project.status("with")["state"] == "waiting")
            // Without pm-init no process is left.
            #expect(try Self.pid(project, "again") == (end == .initKilled ? nil : again))
            try project.must("start", "db", "--wait")
            try Self.replaced(project, "again", again)
            try Self.replaced(project, "with", with)
            try Self.settle(project)
            #expect(try Self.starts(project, "again") == 2 && Self.starts(project, "with") == 2)
        }
    }

    @Test func `while no daemon runs has the same effect`() async throws {
        try await Self.running(Self.four, ["db", "again", "with"]) { project in
            let (again, with) = (try Self.pid(project, "again"), try Self.pid(project, "with"))
            let (daemon, db) = (try project.daemonID(), try #require(try Self.pid(project, "db")))
            // A stopped daemon notices nothing.
            Glibc.kill(daemon, SIGSTOP)
            Glibc.kill(pid_t(db), SIGKILL)
            Glibc.kill(daemon, SIGKILL)
            try Self.replaced(project, "again", again)
            try Self.replaced(project, "with", with)
        }
    }

    @Test func `and is started again while its dependents are being stopped is restarted, and so are they`()
        async throws
    {
        let mappings = [Self.mapping("db"), Self.mapping("with", [Self.need("db", "stop")])]
        try await Self.running(mappings, ["db"]) { project in
            // It ends when the test lets it.
            try project.script(
                "run",
                """
                echo "start $1" >>events
                trap 'while [ ! -e go ]; do sleep 0.02; done; echo "end $1" >>events; exit 0' TERM
                echo up
                sleep 1000 & wait
                """)
            try project.must("start", "with", "--wait")
            let stopping = try project.start([TestPaths.pm, "stop", "db"])
            try project.until("with", "stopping") { $0["state"] == "stopping" }
            let starting = try project.start([TestPaths.pm, "start", "db", "--wait"])
            try project.until("db", "replaced") {
                $0["ready"]?.bool == true && $0["restarts"]?.int == 0 && $0["lastExit"] != nil
            }
            try project.write("go", "")
            #expect(stopping.wait().code == 0 && starting.wait().code == 0)
            try Self.replaced(project, "with", nil)
            #expect(try Self.starts(project, "db") == 2 && Self.starts(project, "with") == 2)
        }
    }

    @Test func `does not end a dependent that could not be restarted`() async throws {
        try await Self.running(Self.four, ["db", "again"]) { project in
            let again = try Self.pid(project, "again")
            try project.must("stop", "db")
            let mappings = Self.four.map { name, mapping -> (String, JSONValue) in
                guard name == "again", var members = mapping.object else { return (name, mapping) }
                members["cwd"] = "./gone"
                return (name, .object(members))
            }
            try project.configure(
                ["one": ["path": "./run"]], mapping: .object(JSONObject(mappings + [Self.mapping("marker")])))
            try project.must("start", "db", "--wait")
            try Self.settle(project)
            #expect(try Self.pid(project, "again") == again)
            #expect(project.daemonLog.contains("cannot restart again: "), "\(project.daemonLog)")
        }
    }
}
