import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm wait` {
    @Test func `returns when a service is ready, has ended, or is down`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "while ! [ -e go ]; do sleep 0.02; done; echo up; exec sleep 1000")
            try project.script("job.sh", "while ! [ -e end ]; do sleep 0.02; done; exit 3")
            try project.configure(
                ["web": ["path": "./web.sh"], "job": ["path": "./job.sh"]],
                mapping: [
                    "web": ["container": "web", "ready": ["log": "up"]],
                    "job": ["container": "job", "restart": "never"],
                ])
            try project.startDaemon()
            let never = try project.pm("wait", "web")
            #expect(never.code == 73 && never.errors.contains("hint: pm start web"), "\(never)")
            try project.must("start", "web")
            let late = try project.pm("wait", "web", "--timeout", "50ms")
            #expect(late.code == 75 && late.errors.contains("was not ready in time"), "\(late)")
            let ready = try project.start([TestPaths.pm, "wait", "web", "--timeout", "60s"])
            try project.write("go", "")
            #expect(ready.wait().output.hasPrefix("web is ready, pid "))
            try project.must("start", "job")
            let ended = try project.start([TestPaths.pm, "wait", "job", "--for", "exit"])
            try project.write("end", "")
            let outcome = ended.wait()
            #expect(outcome.code == 70 && outcome.output == "job has ended: exit code 3\n", "\(outcome)")
            #expect(try project.must("wait", "job", "--for", "down") == "job has ended: exit code 3\n")
            let both = try project.pm("wait", "web", "web", "w*", "-o", "json")
            #expect(try both.code == 0 && JSONValue(parsing: both.output).array?.count == 1, "\(both)")
            let failed = try project.pm("status", "--failed")
            #expect(lines(failed.output).dropFirst().map { $0.prefix(3) } == ["job"], "\(failed)")
            #expect(failed.errors.contains("2 services: 1 ready, 1 failing"))
        }
    }
}
