import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm --help` {
    private static let commands = [
        "start", "stop", "restart", "status", "log", "run", "discover", "map", "ls", "call", "connect", "version",
        "name",
    ]

    @Test func `names every command, the short call and the exit codes`() async throws {
        try await TestProject.with { project in
            let text = try project.must("--help")
            for command in Self.commands { #expect(lines(text).contains { $0.hasPrefix("  \(command) ") }) }
            #expect(text.contains("pm [<options>] NAME COMMAND [<args>]"))
            for code in ["64", "65", "66", "69", "70", "73", "75", "77"] { #expect(text.contains(code)) }
            #expect(try project.must("help") == text)
            #expect(try project.must() == text)
        }
    }

    @Test func `of a command has its options, on standard output`() async throws {
        try await TestProject.with { project in
            for command in Self.commands {
                let text = try project.must(command, "--help")
                #expect(text.contains("USAGE: pm \(command)"))
                #expect(text.contains("--pm-sock <url|path>"))
                #expect(text.contains("\nEXAMPLES\n  pm \(command)"))
                #expect(try project.must("help", command) == text)
            }
            let start = try project.must("start", "--help")
            for option in ["--wait", "--name", "--new", "--inspect", "--inspect-brk", "--autostart", "--keep-attached"]
            {
                #expect(start.contains("  \(option)") || start.contains(", \(option)"))
            }
        }
    }

    @Test func `of a command that does not exist fails, also as JSON`() async throws {
        try await TestProject.with { project in
            let unknown = try project.pm("help", "strat")
            #expect(unknown.code == 64 && unknown.output == "", "\(unknown)")
            #expect(unknown.errors == "pm: there is no command strat\nhint: did you mean \"start\"?\n")
            let two = try project.pm("help", "status", "web")
            #expect(two.code == 64 && two.errors.hasPrefix("pm: there is no command status web\n"), "\(two)")
            #expect(try project.must("-o", "json", "help", "status") == project.must("status", "--help"))
            for words in [
                ["status", "--nonsense", "-o", "json"], ["help", "strat", "--output=json"],
                ["help", "-o", "json", "strat"],
                ["status", "-o=json", "--nonsense"], ["-o", "json"], ["-o", "json", "wait"],
                ["-o", "json", "nonsense"],
            ] {
                let outcome = try project.run([TestPaths.pm] + words)
                #expect(outcome.code == 64 && outcome.output == "")
                let report = try JSONValue(parsing: outcome.errors)
                #expect(report["exitCode"] == 64 && report["error"]?["message"]?.string?.isEmpty == false, "\(outcome)")
            }
        }
    }

    @Test func `wrong words are told on standard error with the usage, and end with 64`() async throws {
        try await TestProject.with { project in
            for words in [
                ["status", "--bogus"], ["-o", "xml", "ls"], ["name", "a", "b"], ["-v"],
            ] {
                let outcome = try project.run([TestPaths.pm] + words)
                #expect(outcome.code == 64, "\(words)")
                #expect(outcome.output.isEmpty)
                #expect(
                    outcome.errors.hasPrefix("pm: ") && outcome.errors.lowercased().contains("usage: pm"), "\(words)")
            }
        }
    }
}
