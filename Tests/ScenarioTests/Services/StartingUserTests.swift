import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// What a service's user may do to a process of that user while it is started.
@Suite(.serialized) struct `A service's user` {
    /// So many starts are tried until one is stopped between taking its user and running its program.
    private static let tries = 300

    @Test(.enabled(if: geteuid() == 0, "only root starts somebody else's"))
    func `that stops its processes while they are started freezes nobody else`() async throws {
        try await TestProject.with { project in
            chmod(String(project.directory.dropLast("/project".count)), 0o755)
            chmod(project.directory, 0o755)
            try configure(project)
            try project.startDaemon()
            for name in ["other", "attack"] { try project.must("start", name, "--wait") }
            let start = try #require(try catchStart(project), "no start was ever stopped")
            let before = try project.status("other")["pid"]
            kill(pid_t(try #require(before?.int)), SIGKILL)
            try project.until("other", "started again") { $0["pid"] != before && $0["pid"] != nil }
            try project.must("start", "another", "--wait")
            try project.must("stop", "another")
            // Its own stop ends it, too, although its process is stopped and does nothing.
            try project.must("stop", "vic")
            #expect(try project.status("vic")["pid"] == nil)
            _ = start.wait()
            try project.must("stop")
        }
    }

    private func configure(_ project: TestProject) throws {
        // Nobody else's processes: the attack reaches all of its user.
        let user = JSONValue.number(JSONNumber(2_000_000 + Int(getpid())))
        let killed: JSONValue = [["signal": "SIGKILL", "wait": "5s"]]
        try project.script("attack.sh", "echo up; while :; do kill -STOP -1; done 2>/dev/null")
        try project.script("sleep.sh", "echo up; exec sleep 1000")
        let sleeper: JSONValue = ["path": "./sleep.sh"]
        try project.configure(
            ["attack": ["path": "./attack.sh"], "vic": sleeper, "other": sleeper, "another": sleeper],
            mapping: [
                "attack": ["container": "attack", "user": user, "group": user, "ready": ["log": "up"], "stop": killed],
                "vic": ["container": "vic", "user": user, "group": user, "restart": "never", "stop": killed],
                "other": ["container": "other", "ready": ["log": "up"]],
                "another": ["container": "another", "ready": ["log": "up"]],
            ])
    }

    /// Starts `vic` until its process is stopped before it ran its program; gives the start, which is not answered.
    private func catchStart(_ project: TestProject) throws -> Program? {
        let holder = try parent(of: pid_t(try #require(project.status("pm")["pid"]?.int)))
        for _ in 0..<Self.tries {
            let start = try project.start([TestPaths.pm, "start", "vic"])
            // Whatever holds it: one that takes so long is held.
            let limit = SystemClock().monotonic() + .seconds(20)
            while try project.status("vic")["pid"] == nil {
                if try hasStoppedExecutor(holder) || SystemClock().monotonic() > limit { return start }
            }
            _ = start.wait()
            try project.must("stop", "vic")
        }
        return nil
    }

    private func hasStoppedExecutor(_ holder: pid_t) throws -> Bool {
        let children = String(decoding: try Files.read("/proc/\(holder)/task/\(holder)/children"), as: UTF8.self)
        // One that is gone meanwhile is none.
        return children.split(separator: " ").contains { (try? stat(of: $0))?.contains("(pm-exec) T") == true }
    }

    private func parent(of pid: pid_t) throws -> pid_t {
        let fields = try stat(of: "\(pid)").split(separator: ")").last?.split(separator: " ")
        return try #require(fields.flatMap { pid_t($0[1]) })
    }

    private func stat(of pid: some StringProtocol) throws -> String {
        String(decoding: try Files.read("/proc/\(pid)/stat"), as: UTF8.self)
    }
}
