import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `Options of every command` {
    @Test func `--pm-sock takes a path and a URL, from anywhere`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            for socket in [project.socket, "jsonrpc+unix://\(project.socket)"] {
                for words in [["--pm-sock", socket, "ls"], ["ls", "--pm-sock=\(socket)"]] {
                    let outcome = try project.run([TestPaths.pm] + words, in: "../home")
                    #expect(lines(outcome.output).last?.hasPrefix("web ") == true, "\(outcome)")
                }
            }
            let nobody = try project.pm("--pm-sock", "\(project.directory)/none.sock", "ls")
            #expect(nobody.code == 69)
            #expect(nobody.errors.contains("no program listens on \(project.directory)/none.sock"))
            let foreign = try project.pm("--pm-sock", "gopher://x", "ls")
            #expect(foreign.code == 65)
            #expect(foreign.errors.contains("hint: give a path or a jsonrpc+unix:// URL"))
        }
    }

    @Test(arguments: [
        ["start", ""], ["start", "web", "--name", ""], ["stop", ""], ["restart", ""], ["status", ""], ["log", ""],
        ["map", "", "web.js"], ["discover", ".", ""], ["connect", ""], ["call", "", "greet"], ["", "greet"],
        ["run", "--name", "", "web"],
    ])
    func `an empty name is an error of the command line, and never means all`(_ words: [String]) async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            try project.must("start", "web")
            let outcome = try project.run([TestPaths.pm] + words)
            #expect(outcome.code == 64, "\(outcome)")
            #expect(outcome.errors.contains("the name of a service must not be empty (is a shell variable not set?)"))
            #expect(try project.status("web")["state"] == "up")
        }
    }

    @Test func `--config names the daemon by its file; without it the nearest one upwards is meant`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.write("deep/er/.keep", "")
            try project.startDaemon()
            let file = "\(project.directory)/.pm.config.json"
            let named = try project.run([TestPaths.pm, "ls", "--config", file], in: "../home")
            #expect(lines(named.output).last?.hasPrefix("web ") == true)
            let near = try project.run([TestPaths.pm, "ls"], in: "deep/er")
            #expect(near.output == named.output)
            let outside = try project.run([TestPaths.pm, "ls"], in: "../home")
            #expect(outside.code == 69)
            #expect(outside.errors.hasSuffix("hint: pm start pm makes a configuration here and starts the daemon\n"))
            #expect(try project.pm("ls", "--config", file, "--user").code == 64)
        }
    }

    @Test func `-v tells what is done on standard error`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let outcome = try project.pm("-v", "ls")
            #expect(outcome.errors == "pm: connected to \(project.socket)\n")
            #expect(outcome.output == (try project.must("ls")))
        }
    }

    @Test func `-o json makes failures JSON too`() async throws {
        try await TestProject.with { project in
            let outcome = try project.pm("ls", "-o", "json")
            #expect(outcome.code == 69)
            #expect(outcome.output.isEmpty)
            let report = try JSONValue(parsing: outcome.errors)
            #expect(keys(report) == ["error", "exitCode"])
            #expect(report["exitCode"]?.int == 69)
            #expect(report["error"]?["statusCode"]?.int == 503)
            #expect(report["error"]?["message"]?.string?.contains("pm is not running") == true)
        }
    }

    @Test func `results that cannot be written are a failure`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            for (place, reason) in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
                let outcome = try project.run(["sh", "-c", "\"$PM\" ls \(place)"], adding: ["PM": TestPaths.pm])
                #expect(outcome.code == 1)
                #expect(outcome.errors == "pm: cannot write to standard output: \(reason)\n")
            }
        }
    }
}
