import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `Stored logs` {
    @Test func `do not grow beyond their limit`() async throws {
        try await TestProject.with { project in
            try project.script("flood.sh", "yes \(String(repeating: "x", count: 99)) | head -c 60000000; echo the end")
            try project.configure(
                ["flood": ["path": "./flood.sh"]], mapping: ["flood": ["container": "flood", "restart": "never"]])
            try project.startDaemon()
            try project.must("start", "flood")
            try project.until("flood", "over") { $0["pid"] == nil && $0["lastExit"] != nil }
            #expect(try project.must("log", "flood", "-n", "1", "--out") == "[flood] the end\n")
            let folder = "\(try #require(project.stateDirectory))/logs/flood"
            let size = try Files.list(folder).reduce(0) { try $0 + Int(Files.status("\(folder)/\($1)")?.size ?? 0) }
            #expect(size <= 50_000_000 && size > 35_000_000)
        }
    }

    @Test func `of one that floods leave the others alone`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.script("flood.sh", "exec yes")
            try project.configure([
                "flood": ["path": "./flood.sh"], "raw": ["path": "./raw", "commandable": true],
            ])
            try project.startDaemon()
            try project.must("start", "raw", "--wait")
            try project.must("start", "flood")
            let folder = "\(try #require(project.stateDirectory))/logs/flood"
            try until("it floods") { ((try? Files.list(folder)) ?? []).count > 2 }  // no directory yet: no flood yet
            let client = try project.client()
            for number in 1...200 {
                #expect(try client.call("raw.echo", [.number(JSONNumber(number))])?["result"]?.int == number)
            }
            #expect(try project.daemonMemory() < 64)
            try project.must("stop", "flood")
            #expect(try project.must("log", "flood", "-n", "2", "--out") == "[flood] y\n[flood] y\n")
        }
    }

    @Test func `are readable when no daemon runs`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo hello; echo bye >&2")
            try project.configure(["web": ["path": "./web.sh"]])
            #expect(try project.pm("log", "web").code == 69)
            try project.startDaemon()
            try project.must("start", "web")
            try project.until("web", "over") { $0["pid"] == nil && $0["lastExit"] != nil }
            try project.must("stop")
            let outcome = try project.pm("log", "web")
            #expect(outcome.code == 0, "\(outcome)")
            let shown = outcome.output.split(separator: "\n")
            #expect(shown.filter { !$0.hasPrefix("[web]--") }.sorted() == ["[web] hello", "[web]!bye"])
            #expect(shown.last?.hasPrefix("[web]-- exited with code 0 after ") ?? false)
            #expect(outcome.errors.contains("pm is not running"))
            #expect(try project.must("log", "web", "-n", "1", "--since", "1h", "--raw").count < 7)
            #expect(try project.pm("log", "web", "-f").code == 69)
            #expect(try project.pm("log", "ghost").code == 66)
        }
    }
}
