import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

extension TestProject {
    /// A service that notes in `order` when it starts, is ready and is told to end.
    func addNoter(_ name: String) throws {
        try script(
            "\(name).sh",
            """
            trap 'echo stop-\(name) >> order; exit 0' TERM
            echo start-\(name) >> order
            echo up
            while :; do sleep 0.02; done
            """)
    }

    /// Configures `api`, which needs `users`, which needs `cache`; `mapping` is each one's.
    func configureNoters(_ extra: JSONValue = [:]) throws {
        for name in ["api", "users", "cache"] { try addNoter(name) }
        let mappings = ["api", "users", "cache"].map { name in
            var mapping: JSONObject = ["container": .string(name), "ready": ["log": "up"]]
            for (key, value) in extra.object ?? [:] { mapping[key] = value }
            return (name, JSONValue.object(mapping))
        }
        try configure(
            [
                "api": ["path": "./api.sh", "dependencies": ["users"]],
                "users": ["path": "./users.sh", "dependencies": ["cache"]], "cache": ["path": "./cache.sh"],
            ], mapping: .object(JSONObject(mappings)))
    }

    /// What the services noted.
    func order() throws -> [String] { try read("order").split(separator: "\n").map(String.init) }

    /// The process id of pm-init: the daemon's parent.
    func holderID() throws -> pid_t {
        let text = String(decoding: try Files.read("/proc/\(daemonID())/stat"), as: UTF8.self)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 1, let pid = pid_t(fields[1]) else { throw TestFailure("no parent in \(text)") }
        return pid
    }
}

@Suite(.serialized) struct `A daemon` {
    private let started = ["start-cache", "start-users", "start-api"]
    private let stopped = ["stop-api", "stop-users", "stop-cache"]

    @Test func `that runs already is not disturbed by a second start`() async throws {
        try await TestProject.with { project in
            try project.configureNoters()
            try project.startDaemon()
            try project.must("start", "api", "--wait")
            let before = (try project.daemonID(), try project.status("api")["pid"]?.int)
            for _ in 1...3 {
                let outcome = try project.pm("start", "pm")
                #expect(outcome.code == 0 && outcome.output.contains("already running"), "\(outcome)")
            }
            #expect(try (project.daemonID(), project.status("api")["pid"]?.int) == before)
            #expect(try project.order() == started)
        }
    }

    @Test func `is one, however many start it at once`() async throws {
        try await TestProject.with { project in
            try project.configureNoters(["autostart": true])
            let starters = try (1...8).map { _ in try project.start([TestPaths.pm, "start", "pm", "--wait"]) }
            let outcomes = starters.map { $0.wait() }
            #expect(outcomes.allSatisfy { $0.code == 0 })
            #expect(outcomes.count { $0.output.hasPrefix("pm started for ") } == 1)
            try project.until("api", "up") { $0["ready"]?.bool == true }
            #expect(try project.order() == started)
        }
    }

    @Test func `starts what is marked so, in the order of dependencies, and stops it in reverse`() async throws {
        try await TestProject.with { project in
            try project.configureNoters(["autostart": true])
            try project.startDaemon()
            try project.until("api", "up") { $0["ready"]?.bool == true }
            try project.must("stop")
            #expect(try project.order() == started + stopped)
            #expect(project.processes() == [])
        }
    }

    @Test func `ends on SIGTERM to its holder as on stop`() async throws {
        try await TestProject.with { project in
            try project.configureNoters()
            try project.startDaemon()
            try project.must("start", "api", "--wait")
            kill(try project.holderID(), SIGTERM)
            try until("all have ended") { project.processes().isEmpty }
            #expect(try project.order() == started + stopped)
            #expect(try Files.status(project.socket) == nil)
            try project.startDaemon()
        }
    }

    @Test func `that was stopped can be started at once, again and again`() async throws {
        try await TestProject.with { project in
            try project.configureNoters(["autostart": true])
            for _ in 1...10 {
                try project.must("start", "pm", "--wait")
                try project.until("cache", "up") { $0["ready"]?.bool == true }
                try project.must("stop", "pm")
                #expect(try Files.status(project.socket) == nil)
                #expect(project.processes() == [])
            }
            #expect(try project.pm("status").code == 69)
        }
    }

    @Test func `whose holder was killed leaves no second copy of a service`() async throws {
        try await TestProject.with { project in
            try project.configureNoters(["autostart": true])
            try project.startDaemon()
            for _ in 1...3 {
                try project.until("api", "up") { $0["ready"]?.bool == true }
                let old = Set(project.processes())
                kill(try project.holderID(), SIGKILL)
                try until("the next one starts") { try project.pm("start", "pm", "--wait").code == 0 }
                try project.until("api", "up again") { $0["ready"]?.bool == true }
                #expect(old.isDisjoint(with: project.processes()))
                // Each service leads a session; what its shell forks between two commands looks like it but does not.
                let shells = project.processes().filter { pid in
                    guard getsid(pid) == pid else { return false }
                    let words = (try? Files.read("/proc/\(pid)/cmdline")) ?? []  // it may have ended meanwhile
                    return String(decoding: words, as: UTF8.self).contains(".sh")
                }
                #expect(shells.count == 3)
            }
        }
    }

    @Test func `replaces a socket that nobody serves, and no other file`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            _ = try UnixSocket.listen(project.socket, mode: 0o600)
            #expect(try Files.status(project.socket)?.kind == .socket)
            try project.startDaemon()
            #expect(try project.client().call("name")?["result"] != nil)
            try project.must("stop")
            try project.write("pm.sock", "precious")
            let outcome = try project.pm("start", "pm", "--wait")
            #expect(outcome.code == 1 && outcome.errors.contains("pm.sock"), "\(outcome)")
            #expect(try project.read("pm.sock") == "precious")
            try until("nothing is left") { project.processes().isEmpty }
            try Files.remove(project.socket)
        }
    }

    @Test func `does not disturb that of another project`() async throws {
        try await TestProject.with { one in
            try await TestProject.with { other in
                for project in [one, other] {
                    try project.configureNoters()
                    try project.startDaemon()
                    try project.must("start", "api", "--wait")
                }
                let pid = try one.status("api")["pid"]?.int
                #expect(try other.status("api")["pid"]?.int != pid)
                try other.must("stop")
                #expect(try one.status("api")["pid"]?.int == pid)
                #expect(try one.order() == started && other.order() == started + stopped)
            }
        }
    }
}
