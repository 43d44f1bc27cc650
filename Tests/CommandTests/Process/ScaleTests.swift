import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm scale` {
    /// A stateless service of which each instance answers with its process id, at once, after a while or never.
    private func running(_ instances: Int, _ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write("svc/pid.mjs", "export default () => process.pid;")
            try project.write(
                "svc/hold.mjs", "export default () => { console.log('held'); return new Promise(() => {}); }")
            try project.write(
                "svc/die.mjs",
                """
                import { existsSync, writeFileSync } from 'node:fs';
                export default async (mark) => {
                  if (existsSync(mark)) return process.pid;
                  writeFileSync(mark, String(process.pid));
                  process.kill(process.pid, 'SIGKILL');
                  await new Promise(() => {});
                };
                """)
            let commands: [JSONValue] = ["pid", "hold", "die", "once"].map { name in
                let file = name == "once" ? "die" : name
                return [
                    "name": .string(name),
                    "config": [
                        "fs": ["path": .string("./\(file).mjs")],
                        "": ["inject": ["params.0"], "idempotent": .bool(name == "die")],
                    ],
                ]
            }
            try project.write("svc/commands.json", (["name": "svc", "commands": .array(commands)] as JSONValue).text)
            try project.configure(
                [
                    "svc": ["path": "./svc/commands.json", "commandable": true, "stateless": true],
                    "single": ["path": "./svc/commands.json", "commandable": true],
                ],
                mapping: ["svc": ["instances": JSONValue(instances), "restart": "always"]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            try body(project)
        }
    }

    private func pids(_ project: TestProject, _ count: Int) throws -> Set<Int> {
        let client = try project.client()
        return Set(try (1...count).map { _ in try #require(try client.call("svc.pid")?["result"]?.int) })
    }

    @Test func `starts and stops instances while they are called`() async throws {
        try await running(1) { project in
            #expect(try pids(project, 6).count == 1)
            #expect(try project.must("scale", "svc", "3") == "svc#2 started\nsvc#3 started\n")
            #expect(try pids(project, 6).count == 3)
            #expect(try project.read(".pm.config.json").contains("\"instances\": 3"))
            let names = try project.json("status", "svc").array?.compactMap { $0["name"]?.string }
            #expect(names == ["svc", "svc#2", "svc#3"])
            #expect(try project.json("scale", "svc", "1") == ["started": [], "stopped": ["svc#2", "svc#3"]])
            #expect(try pids(project, 6).count == 1)
        }
    }

    @Test func `is what a restart goes by, too, when the configuration was edited`() async throws {
        try await running(3) { project in
            let first = try pids(project, 9)
            func edit(_ old: Int, _ new: Int) throws {
                let text = try project.read(".pm.config.json")
                try project.write(
                    ".pm.config.json", text.replacing("\"instances\": \(old)", with: "\"instances\": \(new)"))
            }
            try edit(3, 2)
            try project.must("restart", "svc", "--wait")
            let second = try pids(project, 9)
            #expect(second.count == 2 && second.isDisjoint(with: first))
            for pid in first { #expect(kill(pid_t(pid), 0) != 0) }
            let names = try project.json("status", "svc").array?.filter { $0["running"]?.bool == true }
            #expect(names?.compactMap { $0["name"]?.string } == ["svc", "svc#2"])
            // More than before, one alone, and one of several, which leaves the others alone.
            try edit(2, 4)
            try project.must("restart", "svc", "--wait")
            #expect(try pids(project, 12).count == 4)
            try edit(4, 1)
            try project.must("restart", "svc#2", "--wait")
            #expect(try pids(project, 12).count == 4)
            try project.must("restart", "svc", "--wait")
            #expect(try pids(project, 6).count == 1)
        }
    }

    @Test func `is kept: start, restart and stop mean all instances`() async throws {
        try await running(3) { project in
            let first = try pids(project, 9)
            #expect(first.count == 3)
            try project.must("restart", "svc", "--wait")
            let second = try pids(project, 9)
            #expect(second.count == 3 && second.isDisjoint(with: first))
            let names = try project.client().call("$metadata", [true])?["result"]?["commands"]?.array?
                .compactMap { $0["name"]?.string }.filter { $0.hasSuffix(".pid") }
            #expect(names == ["svc.pid"])
            // A daemon that is killed finds all of them again.
            kill(try project.daemonPID(), SIGKILL)
            try project.until("svc#3", "known") { $0["ready"]?.bool == true }
            // Those that have said again what they offer get the first calls.
            try until("all of them answer") { try pids(project, 9) == second }
            try project.must("stop", "svc")
            for pid in second { #expect(kill(pid_t(pid), 0) != 0) }
        }
    }

    @Test func `gives calls to the instance with the fewest unanswered`() async throws {
        try await running(2) { project in
            let client = try project.client()
            for id in 10...12 { try client.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"svc.hold"}"#) }
            // Two calls wait at one instance and one at the other: that one gets every call that comes alone.
            #expect(try pids(project, 6).count == 1)
            try client.send(#"{"jsonrpc":"2.0","id":13,"method":"svc.hold"}"#)
            #expect(try pids(project, 8).count == 2)
        }
    }

    @Test func `lets another instance answer for one that dies, where the command allows it`() async throws {
        try await running(2) { project in
            let client = try project.client()
            let mark = project.directory + "/mark"
            let survivor = try #require(try client.call("svc.die", [.string(mark)])?["result"]?.int)
            #expect(try project.read("mark") != "\(survivor)")
            // A command that does not say so is not made twice.
            try project.until("svc", "back") { $0["ready"]?.bool == true }
            try project.until("svc#2", "back") { $0["ready"]?.bool == true }
            let error = try #require(try client.call("svc.once", [.string(mark + "2")])?["error"])
            #expect(error["retry"]?.bool == true)
        }
    }

    @Test func `refuses what cannot be`() async throws {
        try await running(1) { project in
            let single = try project.pm("scale", "single", "2")
            #expect(single.code == 65 && single.errors.contains("single is not stateless"), "\(single)")
            #expect(try project.pm("scale", "svc", "0").code == 65)
            #expect(try project.pm("scale", "svc", "257").code == 65)
            #expect(try project.pm("scale", "svc", "many").code == 64)
            #expect(try project.pm("scale", "ghost", "2").code == 66)
            #expect(try project.must("scale", "single", "1") == "")
        }
    }
}

extension TestProject {
    fileprivate func daemonPID() throws -> pid_t { pid_t(try status("pm")["pid"]?.int ?? 0) }
}
