import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// A project of workers in one pool: `a` and `b`, lists of commands with a count that they keep.
private struct PoolProject {
    let project: TestProject

    static let thread = "import { isMainThread, parentPort } from 'node:worker_threads';\n"

    init(_ project: TestProject, mapping: JSONValue = [:]) throws {
        self.project = project
        let names = ["where", "count", "spin", "throw", "print", "$stop"]
        let commands: JSONValue = [
            "name": "web",
            "commands": .array(
                names.map { name in
                    let path = "\(name.filter { $0 != "$" }).mjs"
                    return ["name": .string(name), "config": ["fs": ["path": .string(path)]]]
                }),
        ]
        try project.write("web/commands.json", commands.text)
        try project.write("web/where.mjs", Self.thread + "export default () => [isMainThread, process.pid]")
        try project.write("web/count.mjs", "export default function () { return this.n = (this.n ?? 0) + 1 }")
        try project.write("web/spin.mjs", "export default () => { for (;;); }")
        try project.write("web/throw.mjs", "export default () => { setImmediate(() => { throw new Error('broken') }) }")
        try project.write("web/print.mjs", "export default (x) => { console.log('out', x); console.error('err', x) }")
        try project.write("web/stop.mjs", "export default () => { console.log('stopping') }")
        try project.configure(["a": Self.worker, "b": Self.worker], mapping: mapping)
        try project.startDaemon()
    }

    static let worker: JSONValue = ["path": "./web/commands.json", "type": "worker", "commandable": true]

    /// The process that a worker runs in.
    func process(_ name: String) throws -> Int? {
        try project.json(name, "where")[1]?.int
    }

    /// The path of the pool's socket.
    var socket: String {
        get throws {
            let folder = geteuid() == 0 ? "/run/pm" : project.directory
            let digits = Fingerprint(of: project.directory + "/.pm.config.json").digits
            let names = try Files.list(folder).filter {
                geteuid() == 0 ? $0.hasSuffix("-\(digits).sock") && $0.hasPrefix("pm-pool-") : $0.hasPrefix("pm.")
            }
            return "\(folder)/\(try #require(names.first { $0 != "pm.sock" && !$0.hasSuffix(".gate") }))"
        }
    }

    /// Waits until a worker that was in one process is ready in an incarnation after it.
    func untilRestarted(_ name: String, since pid: JSONValue?) throws {
        try project.until(name, "restarted") { $0["pid"] != pid && $0["ready"]?.bool == true }
    }
}

extension TestProject {
    /// What a command prints as JSON.
    fileprivate func json(_ arguments: String...) throws -> JSONValue {
        let outcome = try run([TestPaths.pm, "-o", "json"] + arguments)
        guard outcome.code == 0 else { throw TestFailure("pm \(arguments.joined(separator: " ")): \(outcome)") }
        return try JSONValue(parsing: outcome.output)
    }
}

/// Containers of type `worker` run as threads; those of one pool in one process.
@Suite(.serialized) struct `Workers` {
    @Test func `of a pool share a process, and each is a service of its own`() async throws {
        try await TestProject.with { project in
            let pool = try PoolProject(project)
            try project.must("start", "a", "--wait")
            try project.must("start", "b", "--wait")
            #expect(try project.json("a", "where")[0]?.bool == false)
            let host = try #require(try pool.process("a"))
            #expect(try pool.process("b") == host)
            #expect(try project.status("a")["pid"] != project.status("b")["pid"])
            #expect(try Files.status(pool.socket)?.mode == 0o600)
            try project.must("a", "print", "one")
            try project.must("b", "print", "two")
            try project.must("restart", "a", "--wait")
            #expect(try pool.process("a") == host)
            try project.must("stop", "a")
            #expect(try project.status("a")["lastExit"]?["code"]?.int == 0)
            #expect(try pool.process("b") == host)
            let log = try project.must("log", "a")
            #expect(log.contains("out one") && log.contains("err one") && log.contains("stopping"))
            #expect(!log.contains("two"))
        }
    }

    @Test func `have processor time and heap in the status, and their pool is no row of it`() async throws {
        try await TestProject.with { project in
            let pool = try PoolProject(project)
            try project.must("start", "a", "--wait")
            let row = try project.until("a", "measured") {
                $0["memoryBytes"]?.int ?? 0 > 1 << 20 && $0["cpuMs"]?.int ?? 0 > 0
            }
            #expect(row["memoryBytes"]?.int ?? .max < 64 << 20)
            #expect(row["type"] == "worker" && row["problems"] == nil)
            let rows = try project.json("status").array ?? []
            #expect(rows.compactMap { $0["name"]?.string }.sorted() == ["a", "b", "pm"])
            let all = try project.client().call("$metadata", [true])?["result"]?["commands"]?.array ?? []
            #expect(!all.contains { $0["name"]?.string?.hasPrefix("pm-pool") ?? false })
            _ = try pool.process("a")
        }
    }

    @Test func `that throw, spin or are killed take no neighbour along`() async throws {
        try await TestProject.with { project in
            let pool = try PoolProject(project, mapping: ["b": ["heartbeat": "5s"]])
            for name in ["a", "b"] { try project.must("start", name, "--wait") }
            let host = try #require(try pool.process("a"))
            #expect(try project.must("a", "count") == "1\n")
            for (command, reason) in [("throw", "Error: broken"), ("spin", "has not turned its event loop for 5 s")] {
                let pid = try project.status("b")["pid"]
                _ = try project.pm("b", command)
                try pool.untilRestarted("b", since: pid)
                #expect(try project.must("log", "b").contains(reason), "\(command)")
            }
            let stand = try project.status("b")["pid"]
            kill(pid_t(try #require(stand?.int)), SIGKILL)
            try pool.untilRestarted("b", since: stand)
            #expect(try project.status("b")["restarts"]?.int == 3)
            #expect(try pool.process("b") == host)
            #expect(try project.must("a", "count") == "2\n")
        }
    }

    @Test func `that ignore their end are terminated when their time is over`() async throws {
        try await TestProject.with { project in
            try project.write(
                "deaf.mjs",
                "process.on('SIGTERM', () => console.log('heard')); setInterval(() => {}, 1000); console.log('up')")
            let pool = try PoolProject(project)
            try project.configure(
                ["a": PoolProject.worker, "deaf": ["path": "./deaf.mjs", "type": "worker"]],
                mapping: ["deaf": ["stop": ["wait": "300ms"], "ready": ["log": "up"], "logs": "file"]])
            try project.must("start", "a", "--wait")
            try project.must("start", "deaf", "--wait")
            let host = try pool.process("a")
            try project.must("stop", "deaf")
            #expect(try project.status("deaf")["lastExit"]?["signal"] == "SIGKILL")
            #expect(try project.must("log", "deaf").contains("heard"))
            #expect(try pool.process("a") == host)
        }
    }

    @Test(arguments: ["killed", "upgraded"])
    func `run on with their pool and their state when the daemon is replaced`(end: String) async throws {
        try await TestProject.with { project in
            let pool = try PoolProject(project)
            for name in ["a", "b"] { try project.must("start", name, "--wait") }
            let before = try project.status("a")
            let host = try #require(try pool.process("a"))
            #expect(try project.must("a", "count") == "1\n")
            let daemon = try project.daemonID()
            if end == "killed" { kill(daemon, SIGKILL) } else { try project.must("upgrade") }
            try project.until("pm", "replaced") { $0["pid"]?.int != Int(daemon) }
            #expect(try project.must("a", "count") == "2\n")
            #expect(try project.status("a")["pid"] == before["pid"])
            // The successor knows the pool: it starts no other for the next worker, and starts this one again.
            try project.must("restart", "b", "--wait")
            #expect(try pool.process("b") == host)
            let pid = try project.status("a")["pid"]
            kill(pid_t(host), SIGKILL)
            try pool.untilRestarted("a", since: pid)
            #expect(try project.must("log", "a").contains("the pool of workers that this one ran in has ended"))
            #expect(try pool.process("a") != host)
        }
    }

    @Test func `end with the processes that they have started`() async throws {
        try await TestProject.with { project in
            try project.write(
                "parent.mjs",
                """
                import { spawn } from 'node:child_process';
                spawn('sh', ['-c', 'sleep 1000 & wait'], { stdio: 'ignore' });
                console.log('up');
                setInterval(() => {}, 1000);
                """)
            let pool = try PoolProject(project)
            try project.configure(
                ["a": PoolProject.worker, "parent": ["path": "./parent.mjs", "type": "worker"]],
                mapping: ["parent": ["ready": ["log": "up"], "logs": "file"]])
            try project.must("start", "a", "--wait")
            try project.must("start", "parent", "--wait")
            try until("they run") { project.commands().contains { $0.hasPrefix("sleep 1000") } }
            try project.must("stop", "parent")
            try until("they are gone") { !project.commands().contains { $0.hasPrefix("sleep 1000") } }
            _ = try pool.process("a")
        }
    }

    @Test func `that cannot be ended have their pool started again, which all logs say`() async throws {
        try await TestProject.with { project in
            try project.write(
                "block.mjs",
                """
                import { spawnSync } from 'node:child_process';
                setTimeout(() => spawnSync('sleep', ['1000']), 100);
                """)
            let pool = try PoolProject(project)
            try project.configure(
                ["a": PoolProject.worker, "block": ["path": "./block.mjs", "type": "worker"]],
                mapping: ["block": ["heartbeat": "3s", "restart": "never"]])
            try project.must("start", "a", "--wait")
            let (host, pid) = (try pool.process("a"), try project.status("a")["pid"])
            try project.must("start", "block", "--wait")
            try pool.untilRestarted("a", since: pid)
            #expect(try pool.process("a") != host)
            for name in ["a", "block"] {
                #expect(try project.must("log", name).contains("worker block cannot be ended, so its pool"), "\(name)")
            }
        }
    }

    @Test func `have a process of their own where they ask for it, and a pool for each name and directory`()
        async throws
    {
        try await TestProject.with { project in
            try project.write("sub/x", "")
            let names = ["a", "b", "own", "other", "elsewhere"]
            let pool = try PoolProject(project)
            try project.configure(
                JSONValue.object(JSONObject(names.map { ($0, PoolProject.worker) })),
                mapping: ["own": ["isolated": true], "other": ["pool": "second"], "elsewhere": ["cwd": "sub"]])
            for name in names { try project.must("start", name, "--wait") }
            let processes = try names.map { try pool.process($0) }
            #expect(processes[0] == processes[1])
            #expect(Set(processes).count == 4)
            #expect(try project.status("own")["pid"]?.int == processes[2])
            #expect(try project.json("own", "where")[0]?.bool == false)
        }
    }

    @Test func `have the limit of their heap, and say which limits a thread cannot have`() async throws {
        try await TestProject.with { project in
            try project.write(
                "leak.mjs", "const all = []; setInterval(() => { for (let i = 0; i < 1e5; i++) all.push({ i }) }, 1)")
            try project.configure(
                ["leak": ["path": "./leak.mjs", "type": "worker"]],
                mapping: ["leak": ["limits": ["memory": "32M", "pids": 5, "nice": 3], "restart": "never"]])
            try project.startDaemon()
            _ = try project.pm("start", "leak")
            try project.until("leak", "ended") { $0["lastExit"]?["code"]?.int == 1 }
            #expect(try project.must("log", "leak").contains("its heap has reached its limit, 32 MiB (limits.memory)"))
            try project.write("leak.mjs", "setInterval(() => {}, 1000)")
            try project.must("start", "leak", "--wait")
            let problems = try project.status("leak")["problems"]?.array?.compactMap(\.string) ?? []
            #expect(
                problems.contains {
                    $0.hasPrefix("limits.pids, limits.nice are not enforced: the worker shares the process of its pool")
                }, "\(problems)")
        }
    }

    @Test func `run a plain program, whose failure is its exit code`() async throws {
        try await TestProject.with { project in
            let text = PoolProject.thread + "console.log(isMainThread, process.argv[2]); process.exit(3)"
            try project.write("job.mjs", text)
            try project.configure(
                ["job": ["path": "./job.mjs", "type": "worker"]],
                mapping: ["job": ["container": "job", "cli": ["x"], "restart": "never"]])
            try project.startDaemon()
            _ = try project.pm("start", "job")
            try project.until("job", "ended") { $0["lastExit"]?["code"]?.int == 3 }
            #expect(try project.must("log", "job").contains("false x"))
        }
    }

    @Test func `find the client of pm, and their pool in it`() async throws {
        try await TestProject.with { project in
            try project.write(
                "job.mjs",
                """
                import { pool, sidecar } from '@akala/pm';
                console.log(pool.worker, (await (await sidecar()['pm']).dispatch('name')) !== undefined);
                process.exit();
                """)
            try project.configure(
                ["job": ["path": "./job.mjs", "type": "worker"]], mapping: ["job": ["restart": "never"]])
            try project.startDaemon()
            _ = try project.pm("start", "job")
            try project.until("job", "ended") { $0["lastExit"]?["code"]?.int == 0 }
            #expect(try project.must("log", "job").contains("job true"))
        }
    }

    @Test func `are JavaScript`() async throws {
        try await TestProject.with { project in
            try project.script("job.sh", "exec sleep 1000")
            try project.configure(["job": ["path": "./job.sh", "type": "worker"]])
            try project.startDaemon()
            let outcome = try project.pm("start", "job")
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains("no JavaScript"))
        }
    }
}
