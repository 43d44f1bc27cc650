import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// The runtime `docker`, on an engine without containers; Tests/SystemTests/docker does it on a real one.
@Suite(.serialized) struct `A service in Docker` {
    @Test func `writes, gets arguments and variables, and ends as it is told`() async throws {
        try await TestEngine.with { engine in
            let script =
                "echo $A-$B-$FROM_IMAGE-$PM_NAME $0 $1; echo oops >&2; trap 'echo bye; exit 3' TERM; while :; do sleep 0.02; done"
            try engine.start(
                ["image": "here", "command": ["sh", "-c", .string(script)], "environment": ["A": 1, "B": 2]],
                mapping: ["cli": ["one", "two"], "env": ["B": "3", "FROM_IMAGE": nil]])
            try engine.project.must("start", "web", "--wait")
            try until("it has written") { try engine.log.contains("oops") }
            #expect(try engine.log.contains("1-3--web one two\n"))
            try engine.project.must("stop", "web")
            #expect(try engine.log.contains("bye"))
            #expect(try engine.project.status("web")["lastExit"]?["code"] == 3)
            #expect(try engine.seen.last?.hasPrefix("DELETE /containers/pm-web-") == true)
        }
    }

    @Test func `is killed when it does not stop`() async throws {
        try await TestEngine.with { engine in
            try engine.start(
                TestEngine.shell("trap '' TERM; echo up; while :; do sleep 0.02; done"),
                mapping: ["stop": ["signal": "SIGTERM", "wait": "100ms"]])
            try engine.project.must("start", "web", "--wait")
            try until("it ignores signals") { try engine.log.contains("up") }
            try engine.project.must("stop", "web")
            #expect(try engine.running == 0)
            #expect(try engine.project.status("web")["lastExit"]?["code"] == 137)
        }
    }

    @Test func `is called, and calls others, and may order nothing`() async throws {
        try await TestEngine.with { engine in
            try engine.project.addContainer()
            try engine.project.write(
                "box/commands.json",
                """
                { "name": "box", "commands": [
                  { "name": "ask", "config": { "fs": { "path": "./ask.cjs" }, "": { "inject": ["pm", "params.0"] } } },
                  { "name": "order", "config": { "fs": { "path": "./order.cjs" }, "": { "inject": ["pm", "params.0", "params.1"] } } },
                  { "name": "connect", "config": { "fs": { "path": "./connect.cjs" }, "": { "inject": ["params.0"] } } }
                ] }
                """)
            try engine.project.write("box/ask.cjs", "module.exports = (pm, text) => pm.dispatch('svc.echo', text);")
            try engine.project.write(
                "box/order.cjs", "module.exports = (pm, verb, name) => pm.dispatch(verb, name).catch((e) => e.message);"
            )
            try engine.project.write(
                "box/connect.cjs",
                """
                const { sidecar } = require('@akala/pm');
                module.exports = async (text) => (await sidecar().svc).dispatch('echo', text);
                """)
            let commands = JSONValue.string(engine.project.directory + "/box/commands.json")
            try engine.start(
                ["image": "here", "commands": commands],
                [("svc", ["path": "./svc/commands.json", "commandable": true])])
            try engine.project.must("start", "svc", "--wait")
            try engine.project.must("start", "web", "--wait")
            #expect(try engine.project.must("call", "web", "ask", "hello").contains("hello"))
            #expect(try engine.project.must("call", "web", "connect", "directly").contains("directly"))
            for verb in [
                "start", "stop", "status", "log", "map", "restart", "ls", "upgrade", "svc.$stop", "svc.$reload",
            ] {
                let said = try engine.project.must("call", "web", "order", verb, "svc")
                #expect(
                    said.contains("not for services in a container") || said.contains("not found"), "\(verb): \(said)")
            }
            #expect(try engine.project.status("svc")["state"] == "up")
        }
    }

    @Test func `goes on when the daemon is killed`() async throws {
        try await TestEngine.with { engine in
            try engine.start(TestEngine.shell("n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done"))
            try engine.project.must("start", "web", "--wait")
            let before = try engine.process()
            try until("it writes") { try engine.log.contains("5\n") }
            kill(try engine.project.daemonID(), SIGKILL)
            #expect(try engine.process() == before)
            let lines = try engine.log.split(separator: "\n").count
            try until("it writes on") { try engine.log.split(separator: "\n").count > lines + 5 }
            let numbers = try engine.log.split(separator: "\n").compactMap { Int($0) }
            #expect(numbers == Array(1...numbers.count))
            #expect(try engine.running == 1)
        }
    }

    @Test func `is started again when its driver is killed, and there are never two`() async throws {
        try await TestEngine.with { engine in
            try engine.start(TestEngine.shell("echo up; while :; do sleep 0.02; done"))
            try engine.project.must("start", "web", "--wait")
            let before = try engine.process()
            kill(before, SIGKILL)
            try engine.project.until("web", "up again") { $0["restarts"]?.int == 1 && $0["ready"] == true }
            #expect(try engine.running == 1)
            let seen = try engine.seen
            let starts = seen.indices.filter { seen[$0].hasSuffix("/start") }
            #expect(starts.count == 2 && seen[starts[0]..<starts[1]].contains { $0.hasPrefix("DELETE") }, "\(seen)")
        }
    }

    @Test func `is removed when its driver is killed and nothing starts it again`() async throws {
        try await TestEngine.with { engine in
            try engine.start(
                TestEngine.shell("echo up; while :; do sleep 0.02; done"), mapping: ["restart": "never"])
            try engine.project.must("start", "web", "--wait")
            kill(try engine.process(), SIGKILL)
            try until("the container is removed") { try engine.running == 0 }
            #expect(try engine.project.status("web")["state"] != "up")
        }
    }

    @Test(arguments: ["away?ms=300", "away?ms=300&listening=1"])
    func `goes on while its engine is away, and no line is lost`(away: String) async throws {
        try await TestEngine.with { engine in
            try engine.start(TestEngine.shell("n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done"))
            try engine.project.must("start", "web", "--wait")
            let before = try engine.process()
            try until("it writes") { try engine.log.contains("5\n") }
            try engine.ask("POST", away)
            try engine.project.until("web", "without an engine") { $0["statusText"] == "without an engine" }
            try engine.project.until("web", "attended to") { $0["statusText"] == nil }
            let last = try engine.log.split(separator: "\n").compactMap { Int($0) }.max() ?? 0
            try until("it writes on") { try engine.log.contains("\(last + 50)\n") }
            let numbers = Set(try engine.log.split(separator: "\n").compactMap { Int($0) })
            let lost = Set(1...(last + 50)).subtracting(numbers).sorted()
            #expect(lost == [])
            #expect(try engine.process() == before)
        }
    }

    @Test func `tells what it wrote and how it ended while its engine was away`() async throws {
        try await TestEngine.with { engine in
            try engine.start(
                TestEngine.shell("echo up; until test -e $HOME/end; do sleep 0.01; done; echo last words; exit 7"),
                mapping: ["restart": "never"])
            try engine.project.must("start", "web", "--wait")
            try until("it is up") { try engine.log.contains("up") }
            try engine.ask("POST", "away?ms=500")
            try engine.project.until("web", "without an engine") { $0["statusText"] == "without an engine" }
            try engine.project.run(["sh", "-c", "touch $HOME/end"])
            try engine.project.until("web", "ended") { $0["lastExit"]?["code"]?.int == 7 }
            #expect(try engine.log.contains("last words"))
        }
    }

    @Test func `is ready when its health check says so`() async throws {
        try await TestEngine.with { engine in
            try engine.start([
                "image": "here", "command": ["sleep", "1000"], "environment": ["HEALTH": "yes"], "init": true,
            ])
            try engine.project.must("start", "web")
            try engine.project.until("web", "waiting") { $0["statusText"] == "waiting for its health check" }
            #expect(try engine.project.status("web")["ready"] == false)
            try until("the engine is listened to") { try engine.seen.contains("GET /events") }
            try engine.ask("POST", "healthy")
            try engine.project.until("web", "ready") { $0["ready"] == true }
        }
    }

    @Test func `says when it was killed without memory`() async throws {
        try await TestEngine.with { engine in
            try engine.start(
                ["image": "here", "command": ["sh", "-c", "echo up; kill -9 $$"], "environment": ["OOM": 1]],
                mapping: ["limits": ["memory": "64M"], "restart": "never"])
            try engine.project.pm("start", "web", "--wait")
            try until("it has ended") { try engine.running == 0 && engine.project.status("web")["pid"]?.int == nil }
            #expect(try engine.log.contains("it used more memory than limits.memory allows"))
        }
    }
}
