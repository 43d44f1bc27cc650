import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm start PROGRAM` {
    private func configuration(_ project: TestProject) throws -> JSONValue {
        try JSONValue(parsing: try project.read(".pm.config.json"))
    }

    @Test func `a file becomes a service of a daemon that is started for it`() async throws {
        try await TestProject.with { project in
            try project.script("api.sh", "echo \"got $* $WHO\"; exec sleep 1000")
            try project.write("vars.env", "WHO=me\n")
            let started = try project.pm("start", "./api.sh", "-i", "2", "--env-file", "vars.env", "--", "--port", "1")
            #expect(started.code == 0 && started.output.hasPrefix("api "), "\(started)")
            let notes = lines(started.errors)
            #expect(notes.count == 3, "\(started)")
            #expect(notes[0].hasPrefix("pm: added the service api (./api.sh --port 1) in "))
            #expect(notes[1] == "pm: pm log api -f shows its output, pm status api its state")
            #expect(notes[2].hasPrefix("pm: started the daemon for "))
            let file = try configuration(project)
            #expect(
                file["containers"]?["api"]?["path"] == "./api.sh" && file["containers"]?["api"]?["stateless"] == true)
            #expect(file["mapping"]?["api"]?["cli"] == ["--port", "1"] && file["mapping"]?["api"]?["instances"] == 2)
            #expect(file["mapping"]?["api"]?["envFiles"] == ["./vars.env"] && file["mapping"]?["api"]?["cwd"] == nil)
            try project.until("api#2", "started") { $0["pid"] != nil }
            let again = try project.pm("start", "./api.sh")
            #expect(again.code == 0 && again.output.contains("already running") && again.errors == "", "\(again)")
            #expect(lines(try project.must("pid", "api")).count == 2)
        }
    }

    @Test func `a program of PATH runs with its arguments, and is named after its script`() async throws {
        try await TestProject.with { project in
            try project.write("report", "echo made; exec sleep 1000\n")
            let started = try project.pm("start", "--", "sh", "report")
            #expect(started.code == 0 && started.output.hasPrefix("report "), "\(started)")
            #expect(try configuration(project)["mapping"]?["report"]?["cli"] == ["report"])
            // A script that is not executable has an interpreter by its first line, or by its name.
            try project.write("sub/job.sh", "exec sleep 1000\n")
            #expect(try project.must("start", "sub/job.sh", "--name", "j2").hasPrefix("j2 "))
            #expect(try configuration(project)["mapping"]?["j2"]?["cli"] == ["sub/job.sh"])
        }
    }

    @Test func `a program of PATH is in the file by its name, and is another service with other arguments`()
        async throws
    {
        try await TestProject.with { project in
            try project.write("one", "exec sleep 1000\n")
            try project.must("start", "--name", "w", "--", "sh", "one")
            #expect(try configuration(project)["containers"]?["w"]?["path"] == "sh")
            #expect(try project.must("start", "--name", "w", "--", "sh", "one").contains("already running"))
            let other = try project.pm("start", "--name", "w", "--", "sh", "two words")
            #expect(other.code == 73 && other.errors.contains("which runs sh one"), "\(other)")
            #expect(other.errors.contains("hint: pm start --name NAME -- sh 'two words' gives"), "\(other)")
            // A service called like a program does not hide the program.
            try project.must("start", "--name", "sleep", "--", "sh", "one")
            let hidden = try project.pm("start", "--name", "nap", "--", "sleep", "1000")
            #expect(hidden.code == 0 && hidden.output.hasPrefix("nap "), "\(hidden)")
        }
    }

    @Test func `several files are several services`() async throws {
        try await TestProject.with { project in
            for name in ["a", "b"] { try project.script("\(name).sh", "exec sleep 1000") }
            let started = try project.pm("start", "./a.sh", "./b.sh", "-o", "json")
            #expect(started.code == 0, "\(started)")
            let rows = try #require(try JSONValue(parsing: started.output).array)
            #expect(rows.map { $0["name"] } == ["a", "b"])
            #expect(try configuration(project)["mapping"]?["a"]?["cli"] == nil)
        }
    }

    @Test func `a TypeScript file is refused where Node runs none, with what to do`() async throws {
        try await TestProject.with { project in
            try project.write("app.ts", "setInterval(() => {}, 1000)")
            for (code, expected) in [(1, Int32(65)), (0, 0)] {
                try project.script("bin\(code)/node", "[ \"$1\" = -e ] && exit \(code); exec sleep 1000")
                let path = "\(project.directory)/bin\(code):/usr/bin:/bin"
                let outcome = try project.run([TestPaths.pm, "start", "app.ts"], adding: ["PATH": path])
                #expect(outcome.code == expected, "\(outcome)")
                guard code == 1 else { continue }
                #expect(outcome.errors.contains("cannot run app.ts: \(project.directory)/bin1/node runs no TypeScript"))
                #expect(outcome.errors.contains("hint: Node.js 22.18"), "\(outcome)")
            }
        }
    }

    @Test func `a folder runs what its package.json says`() async throws {
        try await TestProject.with { project in
            try project.write("shop/package.json", #"{"name": "@me/shop-web", "main": "run"}"#)
            try project.write("shop/run.js", "setInterval(() => {}, 1000)")
            #expect(try project.must("start", "./shop").hasPrefix("shop-web "))
            let file = try configuration(project)
            #expect(file["containers"]?["shop-web"]?["path"] == "./shop/run.js")
            #expect(file["mapping"]?["shop-web"]?["cwd"] == "./shop")
        }
    }

    @Test func `what cannot be a program is refused with the next step`() async throws {
        try await TestProject.with { project in
            let none = try project.pm("start", "./nofile.js")
            #expect(none.code == 66 && none.errors.contains("there is no service and no file ./nofile.js"), "\(none)")
            try project.write("empty/x", "")
            #expect(try project.pm("start", "./empty").code == 65)
            try project.write("ecosystem.config.js", "module.exports = {}")
            let other = try project.pm("start", "ecosystem.config.js")
            #expect(other.code == 65 && other.errors.contains("exports no object with \"apps\""), "\(other)")
            // Nothing was written, and no daemon was started.
            #expect(try project.pm("status").code == 69)
            try project.script("a/web.sh", "exec sleep 1000")
            try project.script("b/web.sh", "exec sleep 1000")
            try project.must("start", "a/web.sh")
            let taken = try project.pm("start", "b/web.sh")
            #expect(taken.code == 73 && taken.errors.contains("--name NAME"), "\(taken)")
        }
    }

    @Test(arguments: ["pm", "all"]) func `a program with a name that means something else is refused`(
        name: String
    ) async throws {
        try await TestProject.with { project in
            try project.script("\(name).sh", "exec sleep 1000")
            let refused = try project.pm("start", "./\(name).sh")
            #expect(refused.code == 65 && refused.errors.contains("choose another one with --name"), "\(refused)")
            #expect(throws: (any Error).self) { try project.read(".pm.config.json") }
            try project.must("start", "./\(name).sh", "--name", "web")
        }
    }

    @Test func `the daemon of a file has nothing to do with a copy of the file`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.must("start", "./web.sh")
            let pid = try project.status("web")["pid"]
            try project.script("copy/web.sh", "exec sleep 1000")
            try project.write("copy/.pm.config.json", try project.read(".pm.config.json"))
            for words in [["status"], ["stop"], ["restart", "web"]] {
                #expect(try project.run([TestPaths.pm] + words, in: "copy").code == 69, "\(words)")
            }
            #expect(try project.status("web")["pid"] == pid)
        }
    }

    @Test func `several services start by name and by pattern`() async throws {
        try await TestProject.with { project in
            let sleeper = try project.sleeper()
            try project.configure(["a1": sleeper, "a2": sleeper, "b": sleeper])
            try project.startDaemon()
            let both = lines(try project.must("start", "a1", "b"))
            #expect(both.count == 2 && both[0].hasPrefix("a1 ") && both[1].hasPrefix("b "))
            let pattern = lines(try project.must("start", "a*"))
            #expect(pattern.count == 2 && pattern[0].hasPrefix("a1 is already") && pattern[1].hasPrefix("a2 "))
            try project.must("stop", "all")
            let mixed = try project.pm("start", "a1", "b", "nosuch")
            #expect(mixed.code == 66 && mixed.errors.contains("there is no service nosuch"), "\(mixed)")
            try project.must("start", "a1", "--", "b")
            #expect(try project.must("is-active", "a1") == "up\n")
            #expect(try project.pm("is-active", "b").code == 1)
            #expect(try project.must("log").contains("web got b"))
        }
    }
}
