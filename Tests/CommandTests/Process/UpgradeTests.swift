import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm upgrade` {
    @Test func `replaces the daemon under its services and connections`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let service = try project.status("web")["pid"]
            let old = try #require(try project.status("pm")["pid"]?.int)
            let client = try project.client()
            #expect(try client.call("version")?["result"]?["pid"]?.int == old)
            try client.send(Array("{\"jsonrpc\":\"2.0\",".utf8))
            let report = try project.json("upgrade")
            #expect(report["before"]?["pid"]?.int == old)
            let new = try #require(report["after"]?["pid"]?.int)
            #expect(new != old && kill(pid_t(old), 0) == -1)
            // Half a message came before, the other half comes after.
            try client.send("\"id\":2,\"method\":\"version\",\"params\":[]}")
            #expect(client.json()?["result"]?["pid"]?.int == new)
            #expect(try project.status("web")["pid"] == service)
            // What was planned is no trouble, neither to the daemon nor to pm-init.
            #expect(project.daemonLog == "")
        }
    }

    @Test func `waits for what the daemon has to answer itself`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "until [ -e go ]; do sleep 0.01; done; echo up; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: project.mapping("web"))
            try project.startDaemon()
            let client = try project.client()
            try client.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"start\",\"params\":[\"web\",{\"wait\":true}]}")
            try project.until("web", "started") { $0["pid"]?.int != nil }
            let upgrade = try project.start([TestPaths.pm, "upgrade"])
            try project.write("go", "")
            #expect(client.json()?["result"]?["name"]?.string == "web")
            let outcome = upgrade.wait()
            #expect(outcome.code == 0 && outcome.output.contains("is replaced by pm"), "\(outcome)")
        }
    }

    @Test func `--init lets pm-init go on as the program on disk, and tells why it cannot`() async throws {
        try await TestProject.with { project in
            try project.copy(TestPaths.libexec, to: "lib")
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            let place = ["PM_LIBEXEC": "\(project.directory)/lib"]
            #expect(try project.run([TestPaths.pm, "start", "pm"], adding: place).code == 0)
            try project.must("start", "web", "--wait")
            let service = try project.status("web")["pid"]
            let holder = try #require(try parent(of: project.status("pm")["pid"]))
            try project.run(["cp", TestPaths.pmInit, "lib/new"])
            try project.run(["mv", "lib/new", "lib/pm-init"])
            #expect(try program(of: holder).hasSuffix("(deleted)"))
            let outcome = try project.pm("upgrade", "--init")
            #expect(outcome.code == 0 && outcome.output.contains("pm-init"), "\(outcome)")
            #expect(try program(of: holder) == "\(project.directory)/lib/pm-init")
            #expect(try parent(of: project.status("pm")["pid"]) == holder)
            #expect(try project.status("web")["pid"] == service)
            let daemon = try project.status("pm")["pid"]
            try project.script("lib/broken", "exit 1")
            try project.run(["mv", "lib/broken", "lib/pm-init"])
            let refused = try project.pm("upgrade", "--init")
            #expect(refused.code == 1, "\(refused)")
            #expect(
                refused.errors.contains("pm-init cannot go on as") && refused.errors.contains("nothing has changed"))
            #expect(try project.status("pm")["pid"] == daemon && project.status("web")["pid"] == service)
        }
    }

    private func parent(of pid: JSONValue?) throws -> Int? {
        let stat = String(decoding: try Files.read("/proc/\(pid?.int ?? 0)/stat"), as: UTF8.self)
        return stat.split(separator: ")").last.flatMap { Int($0.split(separator: " ")[1]) }
    }

    private func program(of pid: Int) throws -> String { try Files.linkTarget("/proc/\(pid)/exe") }

    @Test func `needs a daemon`() async throws {
        try await TestProject.with { project in
            let outcome = try project.pm("upgrade")
            #expect(outcome.code == 69)
            #expect(outcome.errors.contains("pm start pm"))
        }
    }
}
