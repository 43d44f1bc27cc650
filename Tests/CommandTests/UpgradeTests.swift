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

    @Test func `needs a daemon`() async throws {
        try await TestProject.with { project in
            let outcome = try project.pm("upgrade")
            #expect(outcome.code == 69)
            #expect(outcome.errors.contains("pm start pm"))
        }
    }
}
