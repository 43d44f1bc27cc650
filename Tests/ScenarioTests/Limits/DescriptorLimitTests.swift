import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

extension LineClient {
    /// What the daemon says of one service, on a connection that there is already.
    func row(_ name: String) throws -> JSONValue {
        let reply = try call("status", [.string(name)])
        guard let row = reply?["result"]?[0] else { throw TestFailure("no status: \(reply?.text ?? "no answer")") }
        return row
    }
}

extension TestProject {
    /// How often a process went to sleep of its own accord.
    func sleeps(of pid: pid_t) throws -> Int {
        let text = String(decoding: try Files.read("/proc/\(pid)/status"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") } ?? ""
        guard let count = line.split(separator: "\t").last.flatMap({ Int($0) }) else { throw TestFailure(text) }
        return count
    }

    /// Services that only sleep.
    func configureSleepers(_ count: Int, mapping: JSONValue = [:]) throws {
        try script("sleeper.sh", "exec sleep 100000")
        let names = (1...count).map { "s\($0)" }
        let definitions = names.map { ($0, ["path": "./sleeper.sh"] as JSONValue) }
        let mappings = names.map { name in
            var members = mapping.object ?? [:]
            members["container"] = .string(name)
            return (name, JSONValue.object(members))
        }
        try configure(.object(JSONObject(definitions)), mapping: .object(JSONObject(mappings)))
    }
}

@Suite(.serialized) struct `A daemon without descriptors` {
    @Test func `turns clients away with the reason, starts nothing, and recovers by itself`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(2)
            try project.startDaemon()
            try project.must("start", "s1", "--wait")
            let (daemon, held) = (try project.daemonID(), try project.client())
            let service = try held.row("s1")["pid"]
            let highest = try #require(try Limits.descriptors(of: daemon).last)
            let usual = try Limits.set(.files, of: daemon, to: highest + 1)
            // Those that come fill what is free below the limit.
            var guests: [LineClient] = []
            try until("there is no room for a client") {
                guests.append(try project.client())
                return try project.pm("status").errors
                    == "pm: pm cannot take another connection: accept: Too many open files\n"
                    + "hint: the limit of open files is reached: stop services, or raise the hard limit (ulimit -n) "
                    + "and start pm again\n"
            }
            #expect(try project.pm("status").code == 69)
            #expect(
                try held.row("pm")["problems"]?[0] == "it cannot take every connection: accept: Too many open files")
            let refusal = try held.call("start", ["s2", [:]])?["error"]
            #expect(refusal?["statusCode"]?.int == 502, "\(refusal?.text ?? "no error")")
            #expect(refusal?["message"]?.string?.hasPrefix("cannot start s2: ") == true)
            #expect(refusal?["message"]?.string?.hasSuffix(": Too many open files") == true)
            #expect(refusal?["hint"]?.string?.hasPrefix("the limit of open files is reached") == true)
            #expect(try held.row("s1")["pid"] == service)
            guests = []
            try Limits.set(.files, of: daemon, to: usual)
            try project.until("s2", "up by itself") { $0["state"] == "up" }
            #expect(try project.status("s1")["pid"] == service)
            try project.until("pm", "well") { $0["problems"] == nil }
            #expect(try project.daemonID() == daemon)
            // One line when it began and one when it ended, however many clients came.
            #expect(project.daemonLog.split(separator: "\n").filter { $0.contains("accepted") }.count == 2)
        }
    }

    @Test func `that has none to spare lets clients wait and does not spin`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let daemon = try project.daemonID()
            let usual = try Limits.set(.files, of: daemon, to: 3)
            let waiting = try project.start([TestPaths.pm, "status"])
            // What spins never goes to sleep, and what only tries again does so ten times a second.
            let (before, begun) = (try project.sleeps(of: daemon), ContinuousClock.now)
            try until("it sleeps between its tries") { try project.sleeps(of: daemon) >= before + 30 }
            // Other timers are due in this time, too.
            #expect(ContinuousClock.now - begun > .milliseconds(1250))
            try Limits.set(.files, of: daemon, to: usual)
            let outcome = waiting.wait()
            #expect(outcome.code == 0 && outcome.output.contains("pm"), "\(outcome)")
            #expect(try project.daemonID() == daemon)
        }
    }

    @Test(.enabled(if: Tracer.isPossible, "strace cannot trace here"))
    func `tells when the whole machine has none, and goes on when it has again`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(1)
            try project.startDaemon()
            let daemon = try project.daemonID()
            let tracer = try Tracer(
                daemon, in: project, "-e", "trace=accept4,pipe2", "-e", "inject=accept4,pipe2:error=ENFILE:when=1")
            let away = try project.pm("status")
            #expect(away.code == 69 && away.errors.contains("accept: Too many open files in system\nhint: "), "\(away)")
            let refused = try project.pm("start", "s1")
            #expect(refused.code == 70, "\(refused)")
            #expect(
                refused.errors.contains("cannot start s1: pipe2: Too many open files in system\nhint: all programs"))
            try project.until("s1", "up by itself") { $0["state"] == "up" }
            try tracer.finish()
            #expect(try project.daemonID() == daemon)
        }
    }

    @Test func `of a low limit starts what fits, names the limit for the rest, and can still stop`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(60)
            try project.run(["prlimit", "--nofile=128:128", TestPaths.pm, "start", "pm", "--wait"])
            let told = try #require(try project.status("pm")["problems"]?[0]?.string)
            #expect(told.hasPrefix("its limit of open files, 128, is enough for about "), "\(told)")
            #expect(project.daemonLog.contains(told))
            var pids: [JSONValue?] = []
            var failure: Outcome?
            for number in 1...60 where failure == nil {
                let outcome = try project.pm("start", "s\(number)", "--wait")
                if outcome.code == 0 { pids.append(try project.status("s\(number)")["pid"]) } else { failure = outcome }
            }
            #expect(pids.count > 10 && pids.count < 60)
            #expect(failure?.code == 70)
            let errors = failure?.errors ?? ""
            #expect(
                errors.contains("Too many open files\n") && errors.contains("\nhint: the limit of open files"),
                "\(errors)")
            let last = "s\(pids.count + 1)"
            #expect(try pids.indices.allSatisfy { try project.status("s\($0 + 1)")["pid"] == pids[$0] })
            // Room for it: it comes up by itself.
            for number in 1...4 { try project.must("stop", "s\(number)") }
            try project.until(last, "up by itself") { $0["state"] == "up" }
        }
    }
}
