import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What the next daemon does with services that do not run when the daemon before ends.
@Suite(.serialized) struct `The successor of a daemon` {
    private static func lines(_ project: TestProject, _ name: String) -> Int {
        // No file: it has not run yet.
        (try? project.read(name))?.split(separator: "\n").count ?? 0
    }

    /// Waits until whatever the successor starts at once has run.
    private static func settle(_ project: TestProject) throws {
        try project.must("start", "marker", "--wait")
        try project.must("stop", "marker")
    }

    private static let marker: JSONValue = ["path": "/bin/sleep"]

    @Test(arguments: DaemonEnd.allCases) func `starts nothing that was stopped, and nothing that is done`(
        end: DaemonEnd
    )
        async throws
    {
        try await TestProject.with { project in
            try project.script("web", "echo run >>web.runs; exec sleep 1000")
            try project.script("once", "echo run >>once.runs")
            try project.configure(
                ["web": ["path": "./web"], "once": ["path": "./once"], "marker": Self.marker],
                mapping: [
                    "web": ["container": "web", "autostart": true], "once": ["container": "once", "autostart": true],
                    "marker": ["container": "marker", "cli": ["1000"]],
                ])
            try project.startDaemon()
            try project.until("web", "up") { $0["state"]?.string == "up" }
            try project.until("once", "done") { $0["lastExit"] != nil }
            try project.must("stop", "web")
            for _ in 0..<2 {
                try end.replaceDaemon(of: project)
                try Self.settle(project)
            }
            #expect(Self.lines(project, "web.runs") == 1 && Self.lines(project, "once.runs") == 1)
            #expect(try project.status("web")["running"]?.bool == false)
            #expect(try project.status("web")["wanted"]?.string == "down")
            // A pm that is started new starts them, as the configuration says.
            try project.must("stop")
            try project.startDaemon()
            try project.until("web", "up") { $0["state"]?.string == "up" }
            try until("once has run again") { Self.lines(project, "once.runs") == 2 }
        }
    }

    @Test(arguments: DaemonEnd.allCases)
    func `goes on waiting to try again, with the counters and until the time that was set`(
        end: DaemonEnd
    ) async throws {
        try await TestProject.with { project in
            try project.script("crasher", "echo run >>runs; exit 3")
            try project.configure(
                ["crasher": ["path": "./crasher"], "marker": Self.marker],
                mapping: [
                    "crasher": [
                        "container": "crasher", "autostart": true,
                        "restart": [
                            "policy": "always", "delay": "1ms", "limit": 3, "window": "1m", "coolingDelay": "10m",
                        ],
                    ],
                    "marker": ["container": "marker", "cli": ["1000"]],
                ])
            try project.startDaemon()
            try project.until("crasher", "cooling") { $0["state"]?.string == "cooling" }
            let (before, runs) = (try project.status("crasher"), Self.lines(project, "runs"))
            for _ in 0..<2 {
                try end.replaceDaemon(of: project)
                try Self.settle(project)
            }
            let after = try project.status("crasher")
            #expect(Self.lines(project, "runs") == runs)
            #expect(after["state"] == before["state"] && after["restarts"] == before["restarts"], "\(after.text)")
            #expect(after["wanted"]?.string == "up")
        }
    }

    @Test(arguments: DaemonEnd.allCases) func `tries on what could not be started at all`(end: DaemonEnd) async throws {
        try await TestProject.with { project in
            try project.script("web", "exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web"]],
                mapping: [
                    "web": [
                        "container": "web", "envFiles": ["./later.env"],
                        "restart": ["policy": "always", "delay": "50ms", "maxDelay": "100ms", "limit": 0],
                    ]
                ])
            try project.startDaemon()
            #expect(try project.pm("start", "web", "--wait").code != 0)
            try project.until("web", "waiting to be tried again") { $0["state"]?.string == "backoff" }
            try end.replaceDaemon(of: project)
            try project.write("later.env", "A=b\n")
            try project.until("web", "up") { $0["state"]?.string == "up" }
        }
    }

    @Test(arguments: DaemonEnd.allCases)
    func `starts what waits for a dependency, and stops waiting for what was stopped`(
        end: DaemonEnd
    ) async throws {
        try await TestProject.with { project in
            try project.script("slow", "while [ ! -e go ]; do sleep 0.02; done; echo serving; exec sleep 1000")
            try project.script("dep", "exec sleep 1000")
            let dependent: JSONValue = ["path": "./dep", "dependencies": ["slow"]]
            try project.configure(
                ["slow": ["path": "./slow"], "dep": dependent, "auto": dependent, "other": dependent],
                mapping: [
                    "slow": ["container": "slow", "ready": ["log": "serving", "timeout": "1m"]],
                    "auto": ["container": "auto", "autostart": true],
                ])
            try project.startDaemon()
            let waiting = try ["dep", "other"].map { try project.start([TestPaths.pm, "start", $0]) }
            try project.until("slow", "starting") { $0["pid"]?.int != nil }
            for name in ["dep", "other", "auto"] {
                try project.until(name, "waiting") { $0["state"]?.string == "waiting" }
            }
            try project.must("stop", "other")
            try end.replaceDaemon(of: project)
            try project.write("go", "")
            for name in ["dep", "auto"] { try project.until(name, "up") { $0["state"]?.string == "up" } }
            #expect(try project.status("other")["running"]?.bool == false)
            for caller in waiting { _ = caller.wait() }
        }
    }
}
