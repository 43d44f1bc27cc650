import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What the next daemon knows of how services were started.
@Suite(.serialized) struct `The successor of a daemon starts a service` {
    /// Writes its arguments, and ends when it is told to.
    private static let echo = "echo \"$*\" >>said; exec sleep 1000"

    /// The number of runs by their arguments.
    private static func said(_ project: TestProject) -> [String: Int] {
        // No file: nothing has run yet.
        let lines = (try? project.read("said"))?.split(separator: "\n").map(String.init) ?? []
        return Dictionary(lines.map { ($0, 1) }, uniquingKeysWith: +)
    }

    private static func pids(_ project: TestProject, _ names: [String]) throws -> [Int] {
        try names.compactMap { try project.status($0)["pid"]?.int }
    }

    @Test(arguments: DaemonEnd.allCases)
    func `with the arguments and the name of its last start, each of several instances`(end: DaemonEnd) async throws {
        try await TestProject.with { project in
            try project.script("echo", Self.echo)
            try project.configure(
                ["pool": ["path": "./echo", "stateless": true], "one": ["path": "./echo"]],
                mapping: ["pool": ["container": "pool", "instances": 2]])
            try project.startDaemon()
            try project.must("start", "pool", "--wait", "--", "--port", "1")
            try project.must("start", "one", "--name", "two", "--wait", "--", "--port", "2")
            try project.must("scale", "pool", "3")
            let names = ["pool", "pool#2", "pool#3", "two"]
            for name in names { try project.until(name, "up") { $0["state"]?.string == "up" } }
            try end.replaceDaemon(of: project)
            // Each dies after that, and is started by the successor.
            for name in names { try project.until(name, "up") { $0["state"]?.string == "up" } }
            for pid in try Self.pids(project, names) { kill(pid_t(pid), SIGKILL) }
            let runs = end == .initKilled ? 3 : 2
            try until("all have run \(runs) times") { Self.said(project).values.reduce(0, +) >= 4 * runs }
            #expect(Self.said(project) == ["--port 1": 3 * runs, "--port 2": runs])
        }
    }

    @Test(arguments: DaemonEnd.allCases)
    func `and runs no program again that others needed, and that is done`(end: DaemonEnd) async throws {
        try await TestProject.with { project in
            try project.script("migrate", "echo run >>migrate.runs")
            try project.script("slow", "while [ ! -e go ]; do sleep 0.02; done; echo serving; exec sleep 1000")
            try project.script("api", "exec sleep 1000")
            try project.configure(
                [
                    "migrate": ["path": "./migrate"], "slow": ["path": "./slow"],
                    "api": ["path": "./api", "dependencies": ["migrate", "slow"]],
                ],
                mapping: [
                    "slow": ["container": "slow", "ready": ["log": "serving", "timeout": "1m"]],
                    "api": ["container": "api", "autostart": true],
                ])
            try project.startDaemon()
            try project.until("migrate", "done") { $0["lastExit"] != nil }
            try project.until("api", "waiting") { $0["state"]?.string == "waiting" }
            try end.replaceDaemon(of: project)
            try project.write("go", "")
            try project.until("api", "up") { $0["state"]?.string == "up" }
            #expect(try project.read("migrate.runs") == "run\n")
        }
    }

    @Test func `unless the configuration does not have it any more, once pm-init was killed`() async throws {
        try await TestProject.with { project in
            try project.script("echo", Self.echo)
            try project.configure(["old": ["path": "./echo"], "new": ["path": "./echo"]])
            try project.startDaemon()
            try project.must("start", "old", "--wait")
            let daemon = try project.daemonID()
            kill(try project.holderID(), SIGKILL)
            try until("pmd has ended") { kill(daemon, 0) != 0 }
            try project.configure(
                ["new": ["path": "./echo"]], mapping: ["new": ["container": "new", "autostart": true]])
            try project.startDaemon()
            try project.until("new", "up") { $0["state"]?.string == "up" }
            let rows = try project.client().call("status")?["result"]?.array ?? []
            #expect(rows.compactMap { $0["name"]?.string } == ["pm", "new"])
            #expect(project.daemonLog.contains("pm-init was killed: goes on with what was wanted before"))
        }
    }

    @Test(arguments: DaemonEnd.allCases)
    func `of which an instance runs without the first, and stops that with it`(end: DaemonEnd) async throws {
        try await TestProject.with { project in
            try project.script("echo", Self.echo)
            try project.configure(
                ["pool": ["path": "./echo", "stateless": true]],
                mapping: ["pool": ["container": "pool", "instances": 2]])
            try project.startDaemon()
            try project.must("start", "pool#2", "--wait")
            try end.replaceDaemon(of: project)
            try project.until("pool#2", "up") { $0["state"]?.string == "up" }
            try project.must("stop", "pool")
            #expect(try project.status("pool#2")["state"]?.string == "down")
        }
    }
}
