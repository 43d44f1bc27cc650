import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `Closed output` {
    /// Runs a line of shell in which `$PM` is pm.
    private func shell(_ project: TestProject, _ line: String) throws -> Outcome {
        try project.run(["sh", "-c", line], adding: ["PM": TestPaths.pm])
    }

    @Test func `of pm is a failure with a reason, and a reader that went away is not`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            for line in ["\"$PM\" version >&-", "\"$PM\" version >/dev/full", "\"$PM\" -o json status >&-"] {
                let outcome = try shell(project, line)
                #expect(outcome.code == 1, "\(line): \(outcome)")
                #expect(outcome.errors.contains("pm: cannot write to standard output: "), "\(line): \(outcome)")
            }
            // Without standard error only the words are missing.
            #expect(try shell(project, "\"$PM\" version 2>&-").code == 0)
            #expect(try shell(project, "\"$PM\" status ghost 2>&-").code == 66)
            #expect(try shell(project, "\"$PM\" status ghost >&- 2>&- <&-").code == 66)
            let piped = try shell(project, "{ \"$PM\" version; echo $? >&2; } | true")
            #expect(["0\n", "141\n"].contains(piped.errors), "\(piped)")
        }
    }

    @Test func `of the shell that started pm leaves the daemon and its services alone`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "while :; do echo out; echo err >&2; sleep 0.01; done")
            try project.configure(["web": ["path": "./web.sh"]])
            let shell = try project.start(
                ["setsid", "sh", "-c", "\"$PM\" start pm --wait >&- 2>&- <&-; echo $?; exec cat"],
                adding: ["PM": TestPaths.pm])
            // The daemon serves; that its word was lost is a failure of this one command.
            #expect(shell.waitForOutput("1\n"))
            try project.must("start", "web", "--wait")
            let before = (try project.daemonID(), try project.status("web")["pid"])
            // Its terminal hangs up, and the shell is gone.
            kill(-shell.processID, SIGHUP)
            _ = shell.wait()
            #expect(try (project.daemonID(), project.status("web")["pid"]) == before)
            try until("the service is logged") { try project.must("log", "web").contains("[web]!err") }
        }
    }

    @Test func `of clients that do not wait for their answers does not end the daemon`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            let daemon = try project.daemonID()
            for _ in 1...50 {
                let client = try project.client()
                try client.send(#"{"jsonrpc":"2.0","id":1,"method":"status","params":[null]}"#)
            }
            #expect(try project.daemonID() == daemon)
        }
    }
}
