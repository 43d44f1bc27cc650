import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm events` {
    private static func events(_ project: TestProject, _ arguments: String...) throws -> [JSONValue] {
        let outcome = try project.run([TestPaths.pm, "events", "-o", "json"] + arguments)
        guard outcome.code == 0 else { throw TestFailure("\(outcome)") }
        return try outcome.output.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    }

    private static func daemon(_ project: TestProject) throws -> pid_t {
        pid_t(try #require(try project.status("pm")["pid"]?.int))
    }

    private static func kinds(_ events: [JSONValue]) -> [String] {
        events.map { event in
            let detail = event["details"]?["state"]?.string ?? event["details"]?["change"]?.string
            return (event["kind"]?.string ?? "?") + (detail.map { ":\($0)" } ?? "")
        }
    }

    @Test func `shows what happened, with reasons, also after the daemon was killed and while none runs`() async throws
    {
        try await TestProject.with { project in
            try project.script("fails.sh", "exit 3")
            try project.configure(
                ["web": try project.sleeper(), "fails": ["path": "./fails.sh"]],
                mapping: ["fails": ["container": "fails", "restart": "never"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            _ = try project.pm("start", "fails")
            try project.until("fails", "dead") { $0["lastExit"]?.isNull == false }
            let daemon = try Self.daemon(project)
            kill(daemon, SIGKILL)
            try project.until("pm", "another one") { $0["pid"]?.int != Int(daemon) }
            try project.must("stop", "web")
            let web = try Self.events(project, "web")
            #expect(Self.kinds(web) == ["start", "ready", "state:stopping", "exit", "state:down"])
            #expect(web[3]["details"]?["requested"] == true && web[3]["details"]?["incarnation"]?.int == 1)
            let fails = try Self.events(project, "fa*", "--kind", "exit")
            #expect(fails.count == 1 && fails[0]["details"]?["code"]?.int == 3)
            #expect(fails[0]["message"] == "fails ended: exit code 3", "\(fails)")
            #expect(try Self.kinds(Self.events(project, "fails")).contains("giveUp"))
            let own = try Self.events(project, "--kind", "daemon")
            #expect(Self.kinds(own) == ["daemon:started", "daemon:restarted"])
            #expect(own[1]["message"]?.string?.contains("SIGKILL") == true)
            let all = try Self.events(project)
            #expect(all.compactMap { $0["seq"]?.int } == Array(1...all.count))
            try project.must("stop")
            let stored = try project.pm("events", "web", "--kind", "exit")
            #expect(stored.code == 0 && stored.output.contains("exit"), "\(stored)")
            #expect(stored.errors.contains("these are the stored events"))
            #expect(try Self.events(project, "-n", "1")[0]["details"]?["change"] == "stopped")
        }
    }

    @Test func `follows, and goes on when the daemon is replaced`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            let follower = try project.start([TestPaths.pm, "events", "-f", "-o", "json", "web"])
            try project.must("start", "web", "--wait")
            #expect(follower.waitForOutput(#""kind":"ready""#))
            let daemon = try Self.daemon(project)
            kill(daemon, SIGKILL)
            try project.until("pm", "another one") { $0["pid"]?.int != Int(daemon) }
            try project.must("stop", "web")
            #expect(follower.waitForOutput(#""state":"down""#))
            follower.signal(2)
            #expect(follower.wait().code == 130)
            let numbers = try Self.events(project).compactMap { $0["seq"]?.int }
            #expect(numbers == Array(1...max(1, numbers.count)), "\(numbers)")
        }
    }

    @Test func `tells changes of the configuration, refused calls, and refuses the 65th reader`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let sleeper = try project.sleeper()
            try project.must("map", "web", "./web.sh")
            try project.write(".pm.config.json", #"{"containers":{"web":{"path":"./web.sh","stateless":true}}}"#)
            try project.until("web", "read again") { $0["stateless"] == true }
            try project.write(".pm.config.json", #"{"containers":{"web":5}}"#)
            try project.until("pm", "told") { !($0["problems"]?.array ?? []).isEmpty }
            try project.configure(["web": sleeper])
            try project.until("pm", "well again") { $0["problems"] == nil }
            let changes = try Self.events(project, "--kind", "config").compactMap { $0["details"]?["change"]?.string }
            #expect(changes == ["added", "changed", "broken", "changed", "repaired"], "\(changes)")
            let client = try project.client()
            _ = try client.call("confine")
            for _ in 0..<50 { #expect(try client.call("stop", ["web"])?["error"]?["statusCode"]?.int == 403) }
            let refused = try Self.events(project, "--kind", "refused")
            #expect(refused.count == 1 && refused[0]["details"]?["method"] == "stop", "\(refused)")
            let many = try project.client()
            for id in 1...100 {
                try many.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"events","params":[null,{"lines":0}]}"#)
            }
            var (ended, busy) = (0, 0)
            while ended + busy < 100, let reply = many.json() {
                if reply["error"]?["statusCode"]?.int == 503 { busy += 1 }
                if reply["result"]?["event"] == "end" { ended += 1 }
            }
            #expect(ended >= 64 && ended + busy == 100, "\(ended) served, \(busy) refused")
        }
    }

    @Test func `refuses the 65th reader while 64 do not read, and serves another one when one has left`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            try project.must("stop")
            let text = String(repeating: "x", count: 400)
            let lines = (1...7_000).map { number in
                #"{"seq":\#(number),"at":"2026-01-01T00:00:00.000000Z","kind":"config","message":"\#(text)"}"#
            }
            let path = try #require(project.stateDirectory) + "/events.jsonl"
            try Files.replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8))
            try project.startDaemon()
            let readers = try (1...64).map { _ in try project.client() }
            for reader in readers { #expect(try reader.call("events")?["result"] != nil) }
            let further = try project.client()
            let refused = try further.call("events")
            #expect(refused?["error"]?["statusCode"]?.int == 503, "\(refused?.text ?? "")")
            #expect(refused?["error"]?["retry"] == true || refused?["error"]?["data"]?["retry"] == true)
            // Others are served meanwhile.
            #expect(try project.client().call("version")?["result"] != nil)
            readers[7].close()
            try until("there is room for a reader") {
                ((try? further.call("events", [.null, ["lines": 1]])) ?? nil)?["result"] != nil
            }
        }
    }

    @Test func `refuses what makes no sense`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            #expect(try project.pm("events", "--kind", "lunch").code == 64)
            #expect(try project.pm("events", "-f", "--until", "1h").code == 64)
            let answer = try project.client().call("events", [.null, ["kind": "lunch"]])
            #expect(answer?["error"]?["statusCode"]?.int == 400)
        }
    }
}

@Suite(.serialized) struct hooks {
    private static func scripts(_ project: TestProject) throws {
        try project.script("fails.sh", "echo last words; exit 3")
        try project.script("tell.sh", "cat > told.new; echo \"$1 $PWD\" >> told.new; mv told.new told")
        try project.script("own.sh", "cat > own.new; mv own.new own")
        try project.script("bad.sh", "echo no good; exit 9")
        try project.script("slow.sh", "exec sleep 1000")
    }

    @Test func `run a program and a command with the event, and their faults are events`() async throws {
        try await TestProject.with { project in
            try Self.scripts(project)
            try project.configure(
                ["fails": ["path": "./fails.sh"], "svc": try project.answering()],
                mapping: [
                    "fails": [
                        "container": "fails", "restart": "never",
                        "on": [
                            "exit": [["exec": ["./tell.sh", "web has ended"]], ["exec": ["./bad.sh"]]],
                            "giveUp": [
                                ["exec": ["./slow.sh"], "timeout": "100ms"], ["call": "svc.args"], ["call": "no.such"],
                            ],
                        ],
                    ],
                    "pm": ["on": ["giveUp": ["./own.sh"]]],
                ])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            _ = try project.pm("start", "fails")
            let follower = try project.start([TestPaths.pm, "events", "-f", "-o", "json", "--kind", "hook"])
            #expect(follower.waitForOutput("no running service has this command"))
            try until("the hook of all services ran") { (try? project.read("own")) != nil }
            follower.signal(2)
            _ = follower.wait()
            let stored = try project.must("events", "--kind", "hook", "-n", "all", "-o", "json")
            let faults = try stored.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8))["details"] }
            try #require(faults.count == 3, "\(stored)")
            #expect(faults.compactMap { $0?["hook"]?.string } == ["./bad.sh", "./slow.sh", "no.such"], "\(faults)")
            #expect(faults[0]?["reason"]?.string?.contains("no good") == true)
            #expect(faults[1]?["reason"]?.string?.contains("did not end in 100ms") == true)
            let told = try project.read("told").split(separator: "\n").map(String.init)
            let event = try JSONValue(parsing: Array(told[0].utf8))
            #expect(event["kind"] == "exit" && event["details"]?["code"]?.int == 3, "\(event)")
            #expect(event["details"]?["lastLines"]?.array?.last == "last words")
            #expect(told[1] == "web has ended \(project.directory)")
            #expect(try JSONValue(parsing: project.read("own"))["kind"] == "giveUp")
        }
    }

    @Test func `call an instance that serves, while the first one does not`() async throws {
        try await TestProject.with { project in
            try Self.scripts(project)
            var service = try #require(try project.answering().object)
            service["stateless"] = true
            let calls: JSONValue = ["exit": [["call": "svc.args"], ["exec": ["./own.sh"]]]]
            try project.configure(
                ["fails": ["path": "./fails.sh"], "svc": .object(service)],
                mapping: [
                    "fails": ["container": "fails", "restart": "never", "on": calls],
                    "svc": ["container": "svc", "instances": 2, "restart": "never"],
                ])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            try project.until("svc#2", "ready") { $0["ready"]?.bool == true }
            let first = try #require(try project.status("svc")["pid"]?.int)
            kill(pid_t(first), SIGKILL)
            try project.until("svc", "down") { $0["state"] == "down" }
            _ = try project.pm("start", "fails")
            // Hooks of a service run one after the other.
            try until("the hook behind the call ran") { (try? project.read("own")) != nil }
            let faults = try project.must("events", "--kind", "hook", "-n", "all", "-o", "json")
            #expect(faults.isEmpty, "\(faults)")
        }
    }
}
