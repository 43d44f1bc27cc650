import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `A machine without room for processes` {
    /// Takes something from pm-init while `s2` is started, gives it back, and sees `s2` come up by itself.
    private func check(
        _ cause: String, hint: String, fill: (pid_t) throws -> Void, giveBack: (pid_t) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.configureSleepers(2)
            try project.startDaemon()
            try project.must("start", "s1", "--wait")
            let (daemon, holder) = (try project.daemonID(), try project.holderID())
            let service = try project.status("s1")["pid"]
            try fill(holder)
            let refused = try project.pm("start", "s2", "--wait")
            #expect(refused.code == 70, "\(refused)")
            #expect(refused.errors.hasPrefix("pm: cannot start s2: \(cause)\nhint: \(hint)"), "\(refused)")
            let row = try project.until("s2", "waiting for another try") { $0["state"] == "backoff" }
            #expect(row["lastExit"]?["message"]?.string == cause)
            #expect(try project.status("s1")["pid"] == service)
            try giveBack(holder)
            try project.until("s2", "up by itself") { $0["state"] == "up" }
            #expect(try project.status("s1")["pid"] == service)
            #expect(try project.daemonID() == daemon)
        }
    }

    @Test(.enabled(if: ProcessGroup.base != nil, "no cgroup of the pids controller can be made"))
    func `starts again what the pids controller refused`() async throws {
        var group: ProcessGroup?
        defer { try? group?.remove() }
        try await check(
            "clone: Resource temporarily unavailable", hint: "no more processes are allowed",
            fill: { holder in
                group = try ProcessGroup(of: holder)
                try group?.limit(to: 1)
            },
            giveBack: { _ in
                try group?.limit(to: nil)
                // Nothing of the test is left in it when the project ends.
            })
    }

    @Test(.enabled(if: geteuid() != 0, "root has no limit of processes"))
    func `starts again what the limit of the user refused`() async throws {
        var usual = ""
        try await check(
            "clone: Resource temporarily unavailable", hint: "no more processes are allowed",
            fill: { usual = try Limits.set(.processes, of: $0, to: 1) },
            giveBack: { try Limits.set(.processes, of: $0, to: usual) })
    }

    @Test(.enabled(if: getenv("ASAN_OPTIONS") == nil, "a sanitizer needs address space"))
    func `starts again what there was no memory for`() async throws {
        var usual = ""
        try await check(
            "stack: Cannot allocate memory", hint: "the machine or its limits give no more memory",
            fill: { usual = try Limits.set(.memory, of: $0, to: 1 << 16) },
            giveBack: { try Limits.set(.memory, of: $0, to: usual) })
    }

    @Test(.enabled(if: getenv("ASAN_OPTIONS") == nil, "a sanitizer needs address space"))
    func `keeps its services when pmd itself gets no memory`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(1)
            try project.startDaemon()
            try project.must("start", "s1", "--wait")
            let (daemon, service) = (try project.daemonID(), try project.status("s1")["pid"])
            let client = try project.client()
            try Limits.set(.memory, of: daemon, to: 1 << 16)
            // More than it has: it ends, and the next one has the limits of its holder.
            try? client.send([UInt8](repeating: 32, count: 16 << 20))
            try until("another one serves") {
                let answer = try? project.client().call("status", ["pm"])
                return answer?["result"]?[0]?["pid"]?.int.map { $0 != daemon } ?? false
            }
            #expect(try project.status("s1")["pid"] == service)
            #expect(try project.status("s1")["restarts"]?.int == 0)
        }
    }
}
