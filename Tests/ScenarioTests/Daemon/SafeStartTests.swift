import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Behaviour of a daemon whose predecessors died at their start, and its report of their ends.
@Suite(.serialized) struct `A daemon whose predecessors died at their start` {
    /// Lets the daemon die of a fault of its own, and waits for the next one.
    private static func crash(_ project: TestProject) throws {
        let daemon = try project.daemonID()
        kill(daemon, SIGABRT)
        try project.until("pm", "replaced") { $0["pid"]?.int != Int(daemon) && $0["ready"]?.bool == true }
    }

    private static func problems(_ project: TestProject) throws -> [String] {
        try project.status("pm")["problems"]?.array?.compactMap(\.string) ?? []
    }

    @Test func `serves and takes over, starts nothing by itself, says why, and an upgrade ends it`() async throws {
        try await TestProject.with { project in
            try project.script("web", "exec sleep 1000")
            try project.script("flaky", "echo run >>flaky.runs; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web"], "flaky": ["path": "./flaky"]],
                mapping: ["flaky": ["container": "flaky", "restart": ["policy": "always"]]])
            try project.startDaemon()
            for name in ["web", "flaky"] { try project.must("start", name, "--wait") }
            let web = try project.status("web")["pid"]
            // Each dies before its start is through, which takes two seconds; the first one may be through.
            for _ in 0..<4 { try Self.crash(project) }
            try until("the daemon starts safe") {
                try Self.problems(project).contains { $0.contains("it starts nothing by itself") }
            }
            let problem = try Self.problems(project).first { $0.contains("starts nothing") }
            #expect(problem?.contains("SIGABRT") == true && problem?.contains("pm upgrade") == true)
            #expect(try project.status("web")["pid"] == web)
            kill(pid_t(try #require(try project.status("flaky")["pid"]?.int)), SIGKILL)
            try project.until("flaky", "dead") { $0["lastExit"]?["signal"]?.string == "SIGKILL" && $0["pid"] == nil }
            // A request to start still works.
            try project.must("stop", "web")
            try project.must("start", "web", "--wait")
            #expect(try project.read("flaky.runs") == "run\n")
            try project.must("upgrade")
            try project.until("flaky", "started again") { $0["pid"] != nil }
            #expect(try Self.problems(project).allSatisfy { !$0.contains("starts nothing") })
        }
    }

    @Test func `a daemon that loses pm-init says so in its log`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            let daemon = try project.daemonID()
            kill(try project.holderID(), SIGKILL)
            try until("the daemon has ended") { kill(daemon, 0) != 0 }
            #expect(project.daemonLog.contains("ends: pm-init has ended"), "\(project.daemonLog)")
            try project.startDaemon()
        }
    }
}

@Suite(.serialized) struct `The daemon's own log` {
    @Test func `is read by its name, with and without a daemon`() async throws {
        try await TestProject.with { project in
            try project.script("web", "echo hello; exec sleep 1000")
            try project.configure(["web": ["path": "./web"]])
            try project.startDaemon()
            #expect(try project.must("log", "pm").isEmpty)
            try project.must("start", "web", "--wait")
            let before = try project.daemonID()
            kill(before, SIGKILL)
            try project.until("pm", "replaced") { $0["pid"]?.int != Int(before) && $0["ready"]?.bool == true }
            let all = try project.must("log", "pm")
            #expect(all.contains("after the previous daemon ended by SIGKILL; 1 services are taken over"), "\(all)")
            #expect(try project.must("log", "pm", "--grep", "SIGKILL", "-n", "1").contains("started again"))
            try until("the service has its line") { try project.must("log", "web").contains("hello") }
            #expect(try !project.must("log", "web").contains("SIGKILL"))
            try project.must("stop")
            // Its end may have a line of its own: a turn that took long, for example.
            #expect(try project.must("log", "pm").hasPrefix(all))
        }
    }

    @Test func `has a bound, whatever earlier daemons left in it`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": ["path": "./web"]])
            try project.startDaemon()
            let path = try #require(project.stateDirectory) + "/pmd.log"
            try project.must("stop")
            let old = [UInt8](repeating: UInt8(ascii: "x"), count: 5 << 20)
            try Files.replace(path, with: old)
            try project.must("start", "pm", "--wait", "-v")
            try until("the file has room again") { try Files.read(path).count < 4096 }
            #expect(try Files.read(path + ".1").starts(with: old))
        }
    }
}
