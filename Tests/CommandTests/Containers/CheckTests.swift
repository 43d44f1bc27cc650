import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm check` {
    private static let odd = """
        {
          "containers": { "web": { "path": "./web.sh", "watch": true } },
          "mapping": {
            "web": { "autostrat": true, "kill_timeout": 3000, "x-team": "shop" },
            "api": { "path": "api.js", "dependencies": ["wbe"] },
            "pm": { "connect": { "wss://127.0.0.1:9443": { "key": "k.pem" } } }
          }
        }

        """

    @Test func `shows warnings beside errors, and a container that is missing although the name has one`() async throws
    {
        try await TestProject.with { project in
            try project.write(
                ".pm.config.json",
                #"{"containers": {"web": {}, "m": {"path": "./m.js"}}, "mapping": {"web": {"autostrat": true}, "m": {"container": "zz"}}}"#
            )
            let outcome = try project.pm("check")
            #expect(outcome.code == 65)
            for text in ["\"path\" is missing", "mapping.web.autostrat: unknown key", "there is no container \"zz\""] {
                #expect(outcome.output.contains(text), "\(text) in \(outcome)")
            }
            #expect(outcome.output.hasSuffix("1 error, 2 warnings\n"))
        }
    }

    @Test func `finds circles of dependencies, instances of what has state, and unknown transports`() async throws {
        try await TestProject.with { project in
            try project.write(
                ".pm.config.json",
                """
                { "containers": { "a": { "path": "a", "dependencies": ["b"] }, "b": { "path": "b" }, "c": { "path": "c" } },
                  "mapping": {
                    "b": { "container": "b", "dependencies": [{ "name": "c" }] },
                    "c": { "container": "c", "dependencies": ["b"], "instances": 3 },
                    "a": { "container": "a", "connect": { "htp://127.0.0.1:80": {}, "local": {} } } } }
                """)
            let outcome = try project.pm("check")
            for line in [
                "warning: mapping.b.dependencies: Circular dependency detected: b -> c -> b",
                "warning: mapping.c.instances: only a stateless service may have several instances",
                "there is no transport htp, so nobody can connect\n  hint: did you mean \"http\"?",
                "0 errors, 3 warnings",
            ] {
                #expect(outcome.output.contains(line), "\(line) in \(outcome)")
            }
        }
    }

    @Test func `shows each warning with its place and what to write instead`() async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", Self.odd)
            let outcome = try project.pm("check")
            #expect(outcome.code == 0, "\(outcome)")
            let file = project.directory + "/.pm.config.json"
            for line in [
                "\(file):2:48: warning: containers.web.watch: unknown key, ignored",
                "  hint: pm does not watch the files of a service; pm restart NAME starts it again",
                "\(file):4:14: warning: mapping.web.autostrat: unknown key, ignored",
                "  hint: did you mean \"autostart\"?",
                "\(file):4:33: warning: mapping.web.kill_timeout: unknown key, ignored",
                "  hint: write \"stop\": {\"wait\": \"10s\"}",
                "\(file):5:14: warning: mapping.api.path: unknown key, ignored",
                "  hint: move it to the same name under \"containers\"",
                "\(file):5:12: warning: mapping.api.container: there is no container \"api\"",
                "\(file):5:49: warning: mapping.api.dependencies: there is no service \"wbe\" to depend on",
                "  hint: did you mean \"web\"?", "\(file): 1 service, 0 errors, 7 warnings",
            ] {
                #expect(outcome.output.contains(line + "\n"), "\(line) in \(outcome)")
            }
            #expect(outcome.output.contains("\"cert\" is missing, so nobody can connect"), "\(outcome)")
            #expect(!outcome.output.contains("x-team"))
            #expect(try project.pm("check", "--strict").code == 65)
            #expect(try project.pm("check", ".").code == 0)
            #expect(try project.read(".pm.config.json") == Self.odd)
        }
    }

    @Test func `fails on errors, and its JSON has all of them`() async throws {
        try await TestProject.with { project in
            try project.write(
                "other/c.json", "{\n  \"mapping\": { \"a\": { \"cli\": 7, \"restart\": \"often\" } }\n}\n")
            let outcome = try project.pm("check", "other/c.json", "-o", "json")
            #expect(outcome.code == 65)
            let answer = try JSONValue(parsing: outcome.output)
            #expect(answer["errors"]?.array?.map { $0["key"]?.string } == ["mapping.a.cli", "mapping.a.restart"])
            #expect(answer["errors"]?.array?.first?["line"]?.int == 2)
            #expect(answer["warnings"]?.array?.isEmpty == false)
            try project.configure([:])
            #expect(try project.pm("check", "--strict").code == 0)
            #expect(try project.pm("check", "nothing.json").code == 66)
            #expect(try project.pm("check", "--pm-sock", "x").code == 64)
        }
    }

    @Test func `what it shows is shown by each command that reads the file, and is among the problems`() async throws {
        try await TestProject.with { project in
            _ = try project.sleeper("web")
            try project.write(".pm.config.json", Self.odd)
            // The lines of the file move when pm writes into it.
            let (file, place) = ("\(project.directory)/.pm.config.json:", ": warning: mapping.web.autostrat")
            #expect(try project.pm("start", "pm").errors.contains(file))
            for words in [
                ["start", "web"], ["restart", "web"], ["map", "b", "web.sh"], ["unmap", "b"], ["ls"], ["status"],
            ] {
                let outcome = try project.run([TestPaths.pm] + words)
                #expect(
                    outcome.code == 0 && outcome.errors.contains(file) && outcome.errors.contains(place),
                    "\(words): \(outcome)")
                #expect(!outcome.output.contains("autostrat"))
            }
            let problems = try project.status("pm")["problems"]?.array?.compactMap(\.string) ?? []
            #expect(
                problems.contains { $0.hasPrefix(file) && $0.contains(place) && $0.contains("did you mean") },
                "\(problems)")
            let missing = try project.pm("start", "api")
            #expect(missing.code == 66 && missing.errors.contains("there is no container api"), "\(missing)")
        }
    }

    @Test func `names that would move the cursor are shown as text`() async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", "{\"mapping\":{\"pm\":{\"a\\u001b[2Jb\":1}}}")
            let outcome = try project.pm("check")
            #expect(outcome.code == 0 && !outcome.output.contains("\u{1b}"), "\(outcome)")
        }
    }
}
