import Glibc
import JSON
import PMTestSupport
import Testing

/// Calls in flight while their service is stopped.
@Suite(.serialized) struct `A service that answers the calls that it has` {
    private static let calls = 20

    /// A service with some instances, and a client of which it holds twenty calls until the file `go` exists.
    private func holding(
        _ instances: Int, drain: String, _ body: (TestProject, LineClient) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.write("svc/pid.mjs", "export default () => process.pid;")
            try project.write(
                "svc/slow.mjs",
                """
                import { appendFileSync, existsSync } from 'node:fs';
                import { setTimeout } from 'node:timers/promises';
                export default async () => {
                  appendFileSync('held', '.');
                  while (!existsSync('go')) await setTimeout(20);
                  return process.pid;
                };
                """)
            let commands: [JSONValue] = ["pid", "slow"].map { name in
                ["name": .string(name), "config": ["fs": ["path": .string("./\(name).mjs")], "": ["inject": []]]]
            }
            try project.write("svc/commands.json", (["name": "svc", "commands": .array(commands)] as JSONValue).text)
            try project.configure(
                ["svc": ["path": "./svc/commands.json", "commandable": true, "stateless": .bool(instances > 1)]],
                mapping: ["svc": ["instances": JSONValue(instances), "drain": .string(drain)]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let client = try project.client()
            for id in 1...Self.calls {
                try client.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"svc.slow","params":[]}"#)
            }
            try until("the service has all calls") {
                (try? project.read("held").utf8.count) == Self.calls  // the first call makes the file
            }
            try body(project, client)
        }
    }

    /// The results of the held calls; fails for each error.
    private func results(_ client: LineClient) throws -> [Int] {
        try (1...Self.calls).map { _ in
            let reply = try #require(client.json())
            return try #require(reply["result"]?.int, "\(reply.text)")
        }
    }

    private func isStopping(_ row: JSONValue) -> Bool { row["state"]?.string == "stopping" }

    @Test func `is scaled down without a failed call, and others get new calls`() async throws {
        try await holding(3, drain: "1m") { project, client in
            let scale = try project.start([TestPaths.pm, "scale", "svc", "1"])
            for name in ["svc#2", "svc#3"] { try project.until(name, "stopping", isStopping) }
            let first = try #require(try project.status("svc")["pid"]?.int)
            for _ in 1...6 { try #expect(project.client().call("svc.pid")?["result"]?.int == first) }
            try project.write("go", "")
            #expect(Set(try results(client)).count == 3)
            #expect(scale.wait().code == 0)
            #expect(try project.status("svc")["pid"]?.int == first)
        }
    }

    @Test func `is restarted without a failed call`() async throws {
        try await holding(1, drain: "1m") { project, client in
            let first = try #require(try project.status("svc")["pid"]?.int)
            let restart = try project.start([TestPaths.pm, "restart", "svc", "--wait"])
            try project.until("svc", "stopping", isStopping)
            let refused = try #require(try project.client().call("svc.pid")?["error"])
            #expect(refused["statusCode"] == 503 && refused["retry"] == true, "\(refused.text)")
            try project.write("go", "")
            let pids = Set(try results(client))
            #expect(pids == [first])
            #expect(restart.wait().code == 0)
            let second = try #require(try project.client().call("svc.pid")?["result"]?.int)
            #expect(!pids.contains(second))
        }
    }

    @Test func `is restarted one instance after another, and the others take the calls`() async throws {
        try await holding(3, drain: "1m") { project, client in
            let names = ["svc", "svc#2", "svc#3"]
            let before = try names.map { try #require(try project.status($0)["pid"]?.int) }
            let restart = try project.start([TestPaths.pm, "restart", "svc", "--wait"])
            try project.until("svc", "stopping", isStopping)
            for name in names.dropFirst() { #expect(try project.status(name)["state"] == "up") }
            let other = try project.client()
            for _ in 1...6 { #expect(before.dropFirst().contains(try other.call("svc.pid")?["result"]?.int ?? 0)) }
            try project.write("go", "")
            #expect(Set(try results(client)) == Set(before))
            #expect(restart.wait().code == 0)
            for (name, pid) in zip(names, before) { #expect(try project.status(name)["pid"]?.int != pid) }
        }
    }

    @Test func `is restarted under load without a failed call`() async throws {
        try await holding(3, drain: "1m") { project, client in
            try project.write("go", "")
            _ = try results(client)
            let names = ["svc", "svc#2", "svc#3"]
            let before = try names.map { try project.status($0)["pid"]?.int }
            let restart = try project.start([TestPaths.pm, "restart", "svc", "--wait"])
            var (id, isOver) = (1_000, false)
            while !isOver {
                for _ in 1...20 {
                    id += 1
                    let method = id % 2 == 0 ? "svc.pid" : "svc.slow"
                    try client.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":[]}"#)
                }
                for _ in 1...20 {
                    let reply = try #require(client.json())
                    #expect(reply["result"]?.int != nil, "\(reply.text)")
                }
                isOver = try zip(names, before).allSatisfy { name, pid in
                    let row = try project.status(name)
                    return row["pid"]?.int != pid && row["ready"] == true
                }
            }
            #expect(restart.wait().code == 0)
        }
    }

    @Test func `is not restarted further than to the first instance that fails`() async throws {
        try await holding(3, drain: "1m") { project, client in
            try project.write("go", "")
            _ = try results(client)
            let other = try project.status("svc#2")["pid"]?.int
            try project.write("svc/pid.mjs", "export default () => process.pid;\nprocess.exit(3);")
            let outcome = try project.run([TestPaths.pm, "restart", "svc", "--wait"])
            #expect(outcome.code != 0 && outcome.errors.contains("svc#2, svc#3 are not restarted"), "\(outcome)")
            #expect(try project.status("svc#2")["pid"]?.int == other)
            #expect(try project.client().call("svc.slow")?["result"]?.int != nil)
        }
    }

    @Test func `is stopped without a failed call`() async throws {
        try await holding(1, drain: "1m") { project, client in
            let stop = try project.start([TestPaths.pm, "stop", "svc"])
            try project.until("svc", "stopping", isStopping)
            try project.write("go", "")
            #expect(Set(try results(client)).count == 1)
            #expect(stop.wait().code == 0)
            #expect(try project.status("svc")["state"]?.string == "down")
        }
    }

    @Test(arguments: [["--now"], []])
    func `is not waited for by a stop that hurries, nor after its time`(option: [String]) async throws {
        try await holding(1, drain: option.isEmpty ? "50ms" : "1h") { project, client in
            let stopped = try project.run([TestPaths.pm, "stop", "svc"] + option)
            #expect(stopped.code == 0, "\(stopped)")
            for _ in 1...Self.calls { #expect(client.json()?["error"]?["retry"] == true) }
        }
    }
}
