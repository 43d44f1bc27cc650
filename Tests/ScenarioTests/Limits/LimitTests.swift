import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Limits, users and what services use, on a machine without controllers of cgroups.
@Suite(.serialized) struct `Limits of a service` {
    private func withService(
        _ mapping: JSONValue, script: String = "exec sleep 1000", _ body: (TestProject) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.script("web.sh", script)
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": mapping])
            try project.startDaemon()
            try body(project)
        }
    }

    private func proc(_ project: TestProject, _ file: String) throws -> String {
        let pid = try #require(try project.status("web")["pid"]?.int)
        return String(decoding: try Files.read("/proc/\(pid)/\(file)"), as: UTF8.self)
    }

    @Test func `of the process itself are set before it begins`() async throws {
        let limits: JSONValue = ["nofile": 100, "nice": 7, "oomScoreAdjust": 300]
        try await withService(["limits": limits, "umask": "0027"]) { project in
            try project.must("start", "web", "--wait")
            #expect(try proc(project, "limits").contains(/Max open files +100 +100/))
            #expect(try proc(project, "oom_score_adj") == "300\n")
            #expect(try proc(project, "status").contains("Umask:\t0027"))
            let fields = try proc(project, "stat").split(separator: " ")
            #expect(fields[18] == "7")
        }
    }

    @Test func `beyond what pm may give keep the service from starting`() async throws {
        for (limits, message) in [
            (#"{"nofile": 1073741816}"#, "mapping.web.limits.nofile: 1073741816: Operation not permitted; only root"),
            (#"{"oomScoreAdjust": -900}"#, "mapping.web.limits.oomScoreAdjust: -900: Permission denied; only root"),
            (#"{"nice": -19}"#, "mapping.web.limits.nice: -19: Permission denied; only root"),
        ] {
            // Root may all of it, unless the kernel has a limit of its own.
            guard geteuid() != 0 || limits.contains("nofile") else { continue }
            let mapping: JSONValue = ["limits": try JSONValue(parsing: limits), "restart": "never"]
            try await withService(mapping) { project in
                let started = try project.pm("start", "web", "--wait")
                #expect(started.code != 0)
                #expect(started.errors.contains(message), "\(started.errors)")
                #expect(started.errors.contains("hint: pm start web, once that is done"))
                #expect(try project.status("web")["pid"] == nil)
            }
        }
    }

    @Test func `that need cgroups are told as not held, once in the log and in each status`() async throws {
        let mapping: JSONValue = ["limits": ["memory": "100M", "pids": 20, "nofile": 100]]
        try await withService(mapping) { project in
            for _ in 0..<2 { try project.must("restart", "web", "--wait") }
            let sentence = "limits.memory, limits.pids are not enforced: services have no cgroups here"
            let problems = try project.status("web")["problems"]?.array?.compactMap(\.string) ?? []
            #expect(problems.contains { $0.hasPrefix(sentence) }, "\(problems)")
            #expect(project.daemonLog.split(separator: "\n").filter { $0.contains(sentence) }.count == 1)
            #expect(try project.pm("status").errors.contains("web: \(sentence)"))
        }
    }

    @Test func `are a broken configuration when they are nonsense, and what runs goes on`() async throws {
        try await withService([:]) { project in
            try project.must("start", "web", "--wait")
            let pid = try project.status("web")["pid"]?.int
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": ["limits": ["memory": -1]]])
            let outcome = try project.pm("restart", "web")
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains("mapping.web.limits.memory: expected a size such as"))
            #expect(try project.status("web")["pid"]?.int == pid)
        }
    }

    @Test func `status shows what a tree uses`() async throws {
        try await withService([:], script: "perl -e '1 for 1..3e7; sleep 1000' & exec sleep 1000") { project in
            try project.must("start", "web", "--wait")
            let row = try project.until("web", "busy") { ($0["cpuMs"]?.int ?? 0) > 200 && $0["tasks"]?.int == 2 }
            #expect((row["memoryBytes"]?.int ?? 0) > 1_000_000)
            #expect((try project.status("pm")["memoryBytes"]?.int ?? 0) > 1_000_000)
            #expect(try project.must("status", "web").contains(/MEMORY +CPU/))
        }
    }
}

/// Who services run as.
@Suite(.serialized) struct `The user of a service` {
    private func start(_ mapping: JSONValue, _ body: (TestProject, Outcome) throws -> Void) async throws {
        try await TestProject.with { project in
            chmod(String(project.directory.dropLast("/project".count)), 0o755)
            chmod(project.directory, 0o755)
            try project.script("web.sh", "id -u; id -g; id -G; echo home $HOME $USER; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": mapping])
            try project.startDaemon()
            try body(project, try project.pm("start", "web", "--wait"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can start somebody else's"))
    func `is the one it names, with groups and home`() async throws {
        try await start(["user": "daemon", "ready": ["log": "home"]]) { (project, outcome) throws in
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try project.must("log", "web", "--raw", "-n", "all") == "1\n1\n1\nhome /usr/sbin daemon\n")
        }
        try await start(["user": 12345, "group": "daemon", "ready": ["log": "home"]]) { (project, outcome) throws in
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try project.must("log", "web", "--raw", "-n", "all").hasPrefix("12345\n1\n1\n"))
        }
    }

    @Test(arguments: [
        (#"{"user": "nobody-at-all"}"#, "mapping.web.user: nobody-at-all: no such user in /etc/passwd"),
        (#"{"group": "no-group"}"#, "mapping.web.group: no-group: no such group in /etc/group"),
    ])
    func `must exist`(mapping: String, message: String) async throws {
        var members = try #require(try JSONValue(parsing: mapping).object)
        members["restart"] = "never"
        try await start(.object(members)) { (project, outcome) throws in
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains(message), "\(outcome.errors)")
            #expect(try project.status("web")["pid"] == nil)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may"))
    func `is the daemon's, unless that is root`() async throws {
        try await start(["user": "root", "restart": "never"]) { (_, outcome) throws in
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains("mapping.web.user: root: only root's daemon can run a service as somebody"))
        }
    }
}
