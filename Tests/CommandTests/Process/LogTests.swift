import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm log` {
    private func written(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script(
                "web.sh", "for i in 1 2 3; do echo line $i; done; echo sorry >&2; echo up; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"], "db": try project.sleeper("db")], mapping: project.mapping("web", "db"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try body(project)
        }
    }

    @Test func `has the service's name before each line; -n chooses the last ones`() async throws {
        try await written { project in
            let all = lines(try project.must("log", "web"))
            let started = "[web]-- started, process \(try project.status("web")["pid"]?.int ?? 0)"
            #expect(
                all.filter { $0 != "[web]!sorry" } == [started] + (1...3).map { "[web] line \($0)" } + ["[web] up"])
            #expect(all.contains("[web]!sorry"))
            #expect(lines(try project.must("log", "web", "-n", "2")) == Array(all.suffix(2)))
            #expect(lines(try project.must("log", "web", "-n", "all")) == all)
            #expect(try project.must("log", "web", "-n", "0").isEmpty)
            #expect(try !project.must("log", "web", "--raw").contains("[web]"))
            try project.must("start", "db", "--wait")
            let both = lines(try project.must("log", "web", "db"))
            #expect(both.contains("[web] line 1") && both.contains("[db]  up"))
        }
    }

    @Test func `--timestamps shows when, and --since from when`() async throws {
        try await written { project in
            let stamped = lines(try project.must("log", "web", "--timestamps"))
            #expect(stamped.count == 6)
            for line in stamped {
                #expect(line.contains(#/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}\S* \[web\][ !-]/#))
            }
            #expect(lines(try project.must("log", "web", "--since", "1h")).count == 6)
            #expect(lines(try project.must("log", "web", "--since", "2001-01-01")).count == 6)
            #expect(try project.must("log", "web", "--since", "0s").isEmpty)
            #expect(try project.must("log", "web", "--since", "2099-01-01T00:00:00Z").isEmpty)
            #expect(try project.pm("log", "web", "--since", "once").code == 64)
        }
    }

    @Test func `in JSON is an object a line`() async throws {
        try await written { project in
            let rows = try lines(project.must("-o", "json", "log", "web")).map { try JSONValue(parsing: $0) }
            #expect(rows.count == 6)
            for row in rows.dropFirst() { #expect(keys(row) == ["name", "time", "stream", "text"]) }
            #expect(rows.first { $0["stream"] == "stderr" }?["text"] == "sorry\n")
            #expect(rows[0]["stream"] == "pm" && rows[0]["event"]?["kind"] == "started")
            #expect(rows.first { $0["stream"] == "stdout" }?["text"] == "line 1\n")
        }
    }

    @Test func `has colour on a terminal only, one for each name, and never with NO_COLOR`() async throws {
        try await written { project in
            try project.must("start", "db", "--wait")
            let shown = try project.onTerminal("$PM log web db").output
            let marks = Set(shown.matches(of: #/\u{1B}\[([0-9;]+)m\[(web|db)\]\u{1B}\[0m +/#).map { "\($0.1) \($0.2)" })
            #expect(marks.count == 2)
            #expect(Set(marks.map { $0.split(separator: " ")[0] }).count == 2)
            let plain = try project.onTerminal("$PM log web", adding: ["NO_COLOR": "1"]).output
            #expect(plain.contains("[web] line 1") && !plain.contains("\u{1B}"))
            #expect(try !project.must("log", "web").contains("\u{1B}"))
        }
    }

    @Test func `-f goes on with what is written, until it is interrupted`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec 3<>go; echo up; while read line <&3; do echo said $line; done")
            try project.run(["mkfifo", "go"])
            try project.configure(["web": ["path": "./web.sh"]], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let log = try project.start([TestPaths.pm, "log", "web", "-f"])
            #expect(log.waitForOutput("[web]-- started, process "))
            #expect(log.waitForOutput("[web] up\n"))
            for word in ["one", "two"] {
                try project.run(["sh", "-c", "echo \(word) > go"])
                #expect(log.waitForOutput("[web] said \(word)\n"))
            }
            log.signal(2)
            #expect(log.wait().code == 130)
        }
    }

    @Test func `ends quietly when nobody reads on`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "seq 1 20000; echo up; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            for command in ["log web -n all", "log web -n all -f", "-o json log web -n all"] {
                let outcome = try project.run(
                    ["sh", "-c", "\"$PM\" \(command) | head -1"], adding: ["PM": TestPaths.pm])
                #expect(outcome.code == 0)
                #expect(lines(outcome.output).count == 1)
                #expect(outcome.errors.isEmpty)
            }
            let ignoring = "trap '' PIPE; \"$PM\" log web -n all | head -1"
            #expect(try project.run(["sh", "-c", ignoring], adding: ["PM": TestPaths.pm]).errors.isEmpty)
        }
    }

    @Test func `is refused for what does not exist, and for options that exclude each other`() async throws {
        try await written { project in
            let ghost = try project.pm("log", "ghost")
            #expect(ghost.code == 66)
            #expect(ghost.errors == "pm: there is no service ghost\nhint: pm ls shows what there is\n")
            // Without a name, pm shows all services.
            #expect(try project.must("log").contains("web"))
            #expect(try project.pm("log", "web", "--raw", "--timestamps").code == 64)
            #expect(try project.pm("log", "web", "-n", "few").code == 64)
            #expect(try project.must("log", "db").isEmpty)
        }
    }

    @Test func `-n takes any number, and all of it with -f too`() async throws {
        try await written { project in
            let daemon = try project.status("pm")["pid"]
            #expect(lines(try project.must("log", "web", "-n", "\(Int.max)", "--since", "1h")).count == 6)
            #expect(try project.status("pm")["pid"] == daemon)
            try project.script("many.sh", "seq 1 20; echo up; exec sleep 1000")
            try project.must("map", "many", "./many.sh")
            try project.must("start", "many")
            let log = try project.start([TestPaths.pm, "log", "many", "-f", "-n", "all"])
            #expect(log.waitForOutput("[many] 1\n"))
            log.signal(2)
            _ = log.wait()
        }
    }

    @Test func `has a line where an incarnation starts, ends, or cannot be started`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo hello; exec 3<>go; read word <&3; echo bad >&2; exit 3")
            try project.run(["mkfifo", "go"])
            let once: JSONValue = ["restart": "never", "ready": ["log": "hello"]]
            try project.configure(
                ["web": ["path": "./web.sh"], "gone": ["path": "./gone.sh"]], mapping: ["web": once, "gone": once])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let log = try project.start([TestPaths.pm, "log", "web", "-f"])
            #expect(log.waitForOutput("[web] hello\n"))
            try project.run(["sh", "-c", "echo end > go"])
            #expect(log.waitForOutput("[web]!bad\n"))
            #expect(log.waitForOutput("[web]-- exited with code 3 after "))
            log.signal(2)
            _ = log.wait()
            #expect(try project.pm("start", "gone").code != 0)
            #expect(try project.must("log", "gone").hasPrefix("[gone]-- could not be started: "))
            let last = try #require(lines(try project.must("-o", "json", "log", "web")).last)
            let event = try JSONValue(parsing: last)["event"]
            #expect(event?["kind"] == "ended" && event?["code"] == 3 && event?["requested"] == false)
            #expect(try project.must("log", "web", "-o", "short").contains(" pm: web: exited with code 3 after "))
            #expect(try project.must("log", "web", "-o", "cat") == "hello\nbad\n")
            #expect(try project.must("log", "web", "--err") == "[web]!bad\n")
            #expect(try project.must("log", "web", "--out", "-n1") == "[web] hello\n")
            try project.must("stop", "--all")
            #expect(try project.must("log", "web", "--err") == "[web]!bad\n")
        }
    }

    @Test func `of a name means all its instances, and texts are aligned`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo up; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh", "stateless": true]],
                mapping: ["web": ["instances": 2, "ready": ["log": "up"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try until("both have written") {
                Set(lines(try project.must("log", "web", "--out"))) == ["[web]   up", "[web#2] up"]
            }
            #expect(lines(try project.must("log", "web#2", "--out")) == ["[web#2] up"])
        }
    }

    @Test func `leaves bytes as they are, and finds a pattern behind a NUL`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", #"printf 'caf\351\n\0nul here\r\nup\n'; exec sleep 1000"#)
            try project.configure(["web": ["path": "./web.sh"]], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let written = "636166e90a006e756c20686572650d0a75700a"
            for view in ["--raw", "-o cat"] {
                let shown = try project.run(
                    ["sh", "-c", "\"$PM\" log web \(view) | od -An -v -tx1 | tr -d ' \\n'"],
                    adding: ["PM": TestPaths.pm])
                #expect(shown.output == written)
            }
            #expect(lines(try project.must("log", "web", "--grep", "here")).count == 1)
            let wrong = try project.pm("log", "web", "--grep", "(")
            #expect(wrong.code == 64 && wrong.errors.contains("--grep takes a POSIX extended regular expression"))
        }
    }
}
