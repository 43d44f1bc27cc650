import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm rename` {
    private func pid(_ name: String, _ project: TestProject) throws -> pid_t {
        pid_t(try #require(try project.status(name)["pid"]?.int))
    }

    @Test func `keeps processes, counters, log and history, and calls reach the service by its new name`() async throws
    {
        try await TestProject.with { project in
            var service = try #require(try project.answering().object)
            service["stateless"] = true
            try project.configure(
                ["svc": .object(service), "user": ["path": "./user.sh", "dependencies": ["svc"]]],
                mapping: [
                    "svc": ["container": "svc", "instances": 2, "restart": ["delay": "10ms"]],
                    "user": ["container": "user", "on": ["ready": ["call": "svc.value"]]],
                ])
            try project.script("user.sh", "exec sleep 1000")
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            kill(try pid("svc", project), SIGKILL)
            try project.until("svc", "again") { $0["restarts"]?.int == 1 && $0["ready"]?.bool == true }
            try project.must("start", "user", "--wait")
            let before = try ["svc", "svc#2", "user"].map { try pid($0, project) }
            let client = try project.client()
            #expect(try client.call("svc.value", ["text"])?["result"]?.string == "two words")
            #expect(try project.must("rename", "svc", "api") == "svc is now api\n")
            try checkRenamed(before, project)
            #expect(try client.call("api.value", ["text"])?["result"]?.string == "two words")
            #expect(try client.call("svc.value", ["text"])?["error"]?["code"]?.int != nil)
            let text = try project.read(".pm.config.json")
            #expect(!text.contains("svc\"") && text.contains("\"call\": \"api.value\""), "\(text)")
            // The configuration is that of what runs.
            #expect(try project.json("apply", "--plan")["steps"]?.array?.isEmpty == true)
            // By another daemon, and by one that is not asked to leave.
            try project.must("upgrade")
            try checkRenamed(before, project)
            kill(try pid("pm", project), SIGKILL)
            try checkRenamed(before, project)
            #expect(try project.must("history", "api").contains("SIGKILL"))
            try project.must("restart", "api", "--wait")
            try project.must("stop", "api")
            #expect(try project.status("api")["state"]?.string == "down")
        }
    }

    private func checkRenamed(_ before: [pid_t], _ project: TestProject) throws {
        #expect(try ["api", "api#2", "user"].map { try pid($0, project) } == before)
        let row = try project.status("api")
        #expect(row["restarts"]?.int == 1 && row["wanted"]?.string == "up", "\(row)")
        let unknown = try project.pm("status", "svc")
        #expect(unknown.code == 66, "\(unknown)")
        #expect(project.stateFile("logs/svc/00000001.log") == nil)
        #expect(try project.json("history", "api")[0]?["exit"]?["signal"]?.string == "SIGKILL")
    }

    @Test func `is whole when pmd is killed before another one has taken over`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let (service, daemon) = (try pid("web", project), try pid("pm", project))
            let client = try project.client()
            // A request under way keeps the daemon until it is killed.
            let open = try project.client()
            try project.script("slow.sh", "exec sleep 1000")
            try project.must("map", "slow", "./slow.sh")
            try project.must("set", "slow", "ready", "{\"log\": \"never\"}")
            try open.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"start\",\"params\":[\"slow\",{\"wait\":true}]}")
            try project.until("slow", "started") { $0["pid"]?.int != nil }
            let answer = try client.call("rename", ["web", "site"])
            #expect(answer?["result"]?["running"] == ["site"], "\(String(describing: answer))")
            kill(daemon, SIGKILL)
            #expect(try pid("site", project) == service)
            #expect(try project.must("log", "site", "-n", "all").contains("web got"))
            #expect(try project.pm("status", "web").code == 66)
            kill(try pid("pm", project), SIGKILL)
            #expect(try pid("site", project) == service)
            #expect(try project.pm("rename", "site", "web").code == 0)
            #expect(try pid("web", project) == service)
        }
    }

    /// The daemon that is asked, and each one after it until the tracer is gone, is killed at the beginning of such a call.
    @Test(.enabled(if: Tracer.isPossible, "strace cannot trace here"))
    func `leaves a service with one name when daemons are killed between any two steps`() async throws {
        try await TestProject.with { project in
            try project.configure(["a": try project.sleeper("a")], mapping: project.mapping("a"))
            try project.startDaemon()
            try project.must("start", "a", "--wait")
            let service = try pid("a", project)
            var (old, new, renames) = ("a", "b", 0)
            let steps = [("fsync", 3), ("rename", 5), ("renameat2", 1), ("unlink", 3)]
            for (call, count) in steps {
                for number in 1...count {
                    let daemon = try pid("pm", project)
                    let stat = String(decoding: try Files.read("/proc/\(daemon)/stat"), as: UTF8.self)
                    let holder = try #require(stat.split(separator: ")").last?.split(separator: " ")[1])
                    let client = try project.client()
                    let tracer = try Tracer(
                        daemon, in: project, "-p", String(holder), "-e", "trace=\(call)", "-e",
                        "inject=\(call):signal=SIGKILL:when=\(number)")
                    let answer = try client.call("rename", [.string(old), .string(new)])
                    try tracer.finish()
                    let isDone = try project.pm("status", new).code == 0
                    let what = "killed at \(call) \(number): \(answer?.text ?? "no answer")"
                    #expect(isDone || answer?["result"] == nil, "\(what)")
                    #expect(try project.pm("status", isDone ? old : new).code == 66, "\(what)")
                    if isDone { (old, new, renames) = (new, old, renames + 1) }
                    #expect(try pid(old, project) == service, "\(what)")
                    #expect(try project.must("log", old, "-n", "all").contains("a got"), "\(what)")
                    #expect(try project.json("history", old).array?.count == 1, "\(what)")
                }
            }
            #expect(renames >= 4)
        }
    }

    @Test func `goes on with what rests, waits, or runs under another name`() async throws {
        try await TestProject.with { project in
            for name in ["db", "api"] { try project.script("\(name).sh", "echo up; exec sleep 1000") }
            try project.script("bad.sh", "exit 3")
            try project.configure(
                ["db": ["path": "./db.sh"], "api": ["path": "./api.sh"], "bad": ["path": "./bad.sh"]],
                mapping: [
                    "db": ["container": "db", "ready": ["log": "up"]],
                    "api": [
                        "container": "api", "ready": ["log": "up"],
                        "dependencies": [["name": "db", "onStop": "stop"]],
                    ],
                    "bad": ["container": "bad", "restart": ["delay": "10m"]],
                ])
            try project.startDaemon()
            try project.must("start", "api", "--wait")
            try project.must("start", "api", "--name", "other", "--wait")
            let other = try pid("other", project)
            _ = try project.pm("start", "bad")
            try project.until("bad", "resting") { $0["state"]?.string == "backoff" }
            try project.must("rename", "bad", "worse")
            let rest = try project.status("worse")
            #expect(rest["state"]?.string == "backoff" && rest["lastExit"]?["code"]?.int == 3, "\(rest)")
            try project.must("rename", "api", "web")
            #expect(try pid("other", project) == other)
            let refused = try project.pm("rename", "other", "mine")
            #expect(refused.code == 73 && refused.errors.contains("name of web for this run only"), "\(refused)")
            try project.must("stop", "other")
            try project.must("stop", "db")
            try project.until("web", "waiting") { $0["pid"]?.int == nil }
            try project.must("rename", "web", "site")
            try project.must("rename", "db", "store")
            #expect(try project.status("site")["wanted"]?.string == "up")
            try project.must("start", "store", "--wait")
            try project.until("site", "started when its dependency is") { $0["ready"]?.bool == true }
        }
    }

    @Test func `is refused with the next step, and changes nothing`() async throws {
        try await TestProject.with { project in
            try project.script("slow.sh", "until [ -e go ]; do sleep 0.01; done; echo up; exec sleep 1000")
            try project.configure(
                ["web": try project.sleeper(), "slow": ["path": "./slow.sh"], "used": ["path": "./slow.sh"]],
                mapping: [
                    "web": ["container": "web", "ready": ["log": "up"]],
                    "slow": ["container": "slow", "ready": ["log": "up"], "dependencies": ["${NEED:-web}"]],
                    "used": ["container": "slow"],
                ])
            try project.startDaemon()
            let text = try project.read(".pm.config.json")
            let refusals: [(String, String, Int32, String)] = [
                ("nobody", "x", 66, "there is no service nobody"),
                ("web", "slow", 73, "there is a service slow already"),
                ("web", "web", 73, "the name of web already"), ("web", "pm", 73, "name of the daemon"),
                ("pm", "x", 73, "part of pm"), ("web", "a/../b", 65, "must not be or contain"),
                ("web", "x#2", 65, "instance 2 of x"), ("web#2", "x", 73, "pm rename web renames all"),
                ("web", "x", 73, "slow would not refer to the same services"),
            ]
            for (old, new, code, words) in refusals {
                let outcome = try project.pm("rename", old, new)
                #expect(outcome.code == code && outcome.errors.contains(words), "\(old) \(new): \(outcome)")
            }
            let start = try project.start([TestPaths.pm, "start", "slow", "--wait"])
            try project.until("slow", "started") { $0["pid"]?.int != nil }
            let outcome = try project.pm("rename", "slow", "quick")
            #expect(outcome.code == 73 && outcome.errors.contains("pm wait slow"), "\(outcome)")
            #expect(try project.read(".pm.config.json") == text)
            try project.write("go", "")
            #expect(start.wait().code == 0)
            try project.must("rename", "slow", "quick")
            #expect(try project.read(".pm.config.json").contains("\"used\": {\n      \"container\": \"quick\""))
            try project.must("stop", "quick")
            try project.must("rename", "quick", "slow")
            try Files.makeDirectories(try #require(project.stateDirectory) + "/logs/old")
            let kept = try project.pm("rename", "slow", "old")
            #expect(kept.code == 73 && kept.errors.contains("a log of an earlier service old"), "\(kept)")
        }
    }
}
