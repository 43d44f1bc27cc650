import JSON
import PMTestSupport
import Testing

/// Containers of type `worker` run in a thread of a Node process of their own.
@Suite struct `Workers` {
    private static let thread = "import {isMainThread} from 'node:worker_threads';\n"

    @Test func `answer calls, and stop by their own command`() async throws {
        try await TestProject.with { project in
            let commands: JSONValue = [
                "name": "web",
                "commands": [
                    ["name": "where", "config": ["fs": ["path": "where.mjs"]]],
                    ["name": "$stop", "config": ["fs": ["path": "stop.mjs"]]],
                ],
            ]
            try project.write("web/commands.json", commands.text)
            try project.write("web/where.mjs", Self.thread + "export default (x) => [isMainThread, x]")
            try project.write("web/stop.mjs", "export default () => { console.log('stopping') }")
            try project.configure(
                ["web": ["path": "./web/commands.json", "type": "worker", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let outcome = try project.must("web", "where", "7", "-o", "json")
            #expect(outcome.filter { !$0.isWhitespace } == "[false,\"7\"]")
            try project.must("stop", "web")
            #expect(try project.must("log", "web").contains("stopping"))
            #expect(try project.status("web")["lastExit"]?["code"]?.int == 0)
        }
    }

    @Test func `run a plain program, whose failure is its exit code`() async throws {
        try await TestProject.with { project in
            try project.write("job.mjs", Self.thread + "console.log(isMainThread, process.argv[2]); process.exit(3)")
            try project.configure(
                ["job": ["path": "./job.mjs", "type": "worker"]],
                mapping: ["job": ["container": "job", "cli": ["x"], "restart": "never"]])
            try project.startDaemon()
            _ = try project.pm("start", "job")
            try project.until("job", "ended") { $0["lastExit"]?["code"]?.int == 3 }
            #expect(try project.must("log", "job").contains("false x"))
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
