import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm start NAME` {
    private func running(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            try body(project)
        }
    }

    @Test func `starts a service with arguments; --wait returns when it is ready`() async throws {
        try await running { project in
            let text = try project.must("start", "web", "--wait", "one", "--", "--port", "80")
            let row = try project.status("web")
            #expect(text == "web is up, pid \(row["pid"]?.int ?? 0)\n")
            #expect(row["ready"]?.bool == true)
            #expect(try project.must("log", "web").contains("web got one --port 80"))
        }
    }

    @Test func `gives a service the options that pm does not know, and says which look like its own`() async throws {
        try await running { project in
            try project.must("start", "web", "--port", "80", "--wait")
            #expect(try project.must("log", "web").contains("web got --port 80"))
            try project.must("stop", "web")
            let started = try project.pm("start", "web", "--wiat")
            #expect(started.code == 0)
            #expect(started.errors == "pm: --wiat goes to the service; the option of pm is --wait\n")
            try project.must("stop", "web")
            #expect(try project.pm("start", "web", "--", "--wiat").errors == "")
        }
    }

    @Test func `a word that may be meant as a service does not become an argument unseen`() async throws {
        try await running { project in
            let told = try project.pm("start", "web", "batch", "80", "./file")
            #expect(told.code == 0)
            #expect(told.errors.hasPrefix("pm: batch goes to web as an argument, there is no service of "), "\(told)")
            #expect(told.errors.contains("pm start web -- batch 80 ./file says so"), "\(told)")
            #expect(lines(told.errors).count == 1, "\(told)")
            try project.must("stop", "web")
            #expect(try project.pm("start", "web", "--", "batch").errors == "")
            try project.must("stop", "web")
            let near = try project.pm("start", "web", "wbe")
            #expect(near.code == 66, "\(near)")
            #expect(near.errors.contains("there is no service wbe; the nearest name is web"), "\(near)")
            #expect(near.errors.contains("pm start web -- wbe passes wbe to web as an argument"), "\(near)")
            // Behind an option of the service, too.
            #expect(try project.pm("start", "web", "wbe", "--port", "80").code == 66)
            #expect(try project.status("web")["pid"] == nil)
        }
    }

    @Test func `finds a service that runs, and refuses one that does not exist or runs in another way`() async throws {
        try await running { project in
            try project.must("start", "web", "--wait")
            let pid = try #require(try project.status("web")["pid"]?.int)
            #expect(try project.must("start", "web") == "web is already running, pid \(pid)\n")
            #expect(try project.must("start", "web", "--wait") == "web is already running, pid \(pid)\n")
            #expect(try project.json("start", "web")["wasRunning"] == true)
            let other = try project.pm("start", "web", "--", "more")
            #expect(other.code == 73)
            #expect(
                lines(other.errors) == [
                    "pm: web is already started, with other options than those of this call",
                    "hint: pm restart web, or pm start web --new",
                ])
            #expect(try project.status("web")["pid"]?.int == pid)
            let ghost = try project.pm("start", "wbe")
            #expect(ghost.code == 66)
            #expect(ghost.errors.hasPrefix("pm: there is no service wbe\nhint: "))
        }
    }

    @Test func `says of a service that does not serve yet that it is not ready`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "while [ ! -e go ]; do sleep 0.02; done; echo up; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: project.mapping("web"))
            try project.startDaemon()
            let started = try project.must("start", "web")
            let pid = try #require(try project.status("web")["pid"]?.int)
            #expect(started == "web started, pid \(pid), not ready yet\n")
            #expect(try project.must("start", "web") == "web is already running, pid \(pid), not ready yet\n")
            let waiting = try project.start([TestPaths.pm, "start", "web", "--wait"])
            try project.write("go", "")
            #expect(waiting.wait().output == "web is already running, pid \(pid)\n")
        }
    }

    @Test(arguments: ["bad.cjs", "bad.mjs"], [[], ["--wait"]])
    func `tells of a program that cannot run, with and without --wait`(_ file: String, options: [String]) async throws {
        try await TestProject.with { project in
            try project.write(file, "const x = ;\n")
            try project.script("job.sh", "exit 0")
            try project.configure(["bad": ["path": .string("./\(file)")], "job": ["path": "./job.sh"]])
            try project.startDaemon()
            let outcome = try project.run([TestPaths.pm, "start", "bad"] + options)
            #expect(outcome.code == 70)
            #expect(outcome.errors.contains("after it was started: exit code 1"))
            #expect(outcome.errors.contains("SyntaxError"))
            #expect(outcome.errors.contains("hint: the fault is at ") && outcome.errors.contains("\(file):1"))
            #expect(outcome.errors.contains("; pm log bad shows all output"))
            #expect(try project.must("start", "job").hasPrefix("job "))
        }
    }

    @Test func `--name and --new run further instances under other names`() async throws {
        try await running { project in
            try project.must("start", "web")
            #expect(try project.must("start", "web", "--name", "second").hasPrefix("second is "))
            #expect(try project.status("second")["pid"]?.int != nil)
            let third = try #require(try project.json("start", "web", "--new")["name"]?.string)
            #expect(third.wholeMatch(of: /[a-z]+-[a-z]+/) != nil)
            #expect(try project.status(third)["pid"]?.int != nil)
            #expect(try project.must("start", "web", "--name", "second").hasPrefix("second is already running"))
            #expect(try project.pm("start", "web", "--name", "second", "--", "x").code == 73)
            #expect(try project.pm("start", "web", "--name", "x", "--new").code == 64)
            #expect(try project.pm("start", "web", "--name", "pm").code == 73)
        }
    }

    @Test func `--inspect and --inspect-brk reach Node, of programs and of commandable services`() async throws {
        try await TestProject.with { project in
            try project.write("tool.js", "console.log('tool'); setInterval(() => {}, 1000)\n")
            try project.configure(["svc": try project.answering(), "tool": ["path": "./tool.js"]])
            try project.startDaemon()
            // A start is told when exec(2) cannot fail any more; the new words are seen a moment later.
            try project.must("start", "tool", "--inspect-brk")
            try project.until("tool", "under the inspector") { row in
                (try? commandLine(row))?.contains { $0.hasPrefix("--inspect-brk") } ?? false
            }
            let service = try project.json("start", "svc", "--inspect", "--wait")
            #expect(try commandLine(service).contains { $0.hasPrefix("--inspect=") || $0 == "--inspect" })
            #expect(try project.must("log", "svc").contains("Debugger listening on ws://"))
            #expect(try project.must("svc", "value", "zero") == "0\n")
        }
    }

    private func commandLine(_ answer: JSONValue) throws -> [String] {
        let pid = try #require(answer["pid"]?.int)
        return try Files.read("/proc/\(pid)/cmdline").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `--autostart starts the service again with the next daemon`() async throws {
        try await running { project in
            try project.must("start", "web", "--autostart")
            try project.must("stop")
            try project.startDaemon()
            try project.until("web", "up") { $0["pid"] != nil }
            let configuration = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(configuration["mapping"]?["web"]?["autostart"]?.bool == true)
            #expect(configuration["mapping"]?["web"]?["ready"]?["log"]?.string == "up")
        }
    }

    @Test func `--wait tells the last output of a service that dies, and when it takes too long`() async throws {
        try await TestProject.with { project in
            try project.script("bad.sh", "echo first; echo no such table >&2; exit 7")
            try project.script("slow.sh", "echo thinking; exec sleep 1000")
            try project.configure(
                ["bad": ["path": "./bad.sh"], "slow": ["path": "./slow.sh"]],
                mapping: [
                    "bad": ["container": "bad", "restart": "never", "ready": "notify"],
                    "slow": [
                        "container": "slow", "restart": "never", "ready": ["check": "notify", "deadline": "200ms"],
                    ],
                ])
            try project.startDaemon()
            let bad = try project.pm("start", "bad", "--wait")
            #expect(bad.code == 70)
            #expect(bad.errors.contains("bad") && bad.errors.contains("exit code 7"))
            #expect(bad.errors.contains("  | first\n  | no such table\n"))
            let slow = try project.pm("-o", "json", "start", "slow", "--wait")
            #expect(slow.code == 75)
            let report = try JSONValue(parsing: slow.errors)
            #expect(report["error"]?["statusCode"]?.int == 504)
            #expect(report["error"]?["output"] == ["thinking"])
            #expect(report["exitCode"]?.int == 75)
        }
    }

    @Test func `answers in JSON with what runs`() async throws {
        try await running { project in
            let answer = try project.json("start", "web", "--wait", "x")
            #expect(keys(answer) == ["name", "pid", "state", "ready", "execPath", "args", "cwd"])
            #expect(answer["name"] == "web" && answer["state"] == "up")
            #expect(answer["args"]?.array?.last == "x")
            #expect(answer["cwd"]?.string == project.directory)
        }
    }

    @Test func `needs a daemon and knows its options`() async throws {
        try await TestProject.with { project in
            let outcome = try project.pm("start", "web")
            #expect(outcome.code == 69)
            #expect(outcome.errors.contains("pm is not running"))
            #expect(outcome.errors.contains("hint: pm start pm"))
            #expect(try project.pm("start").code == 64)
            #expect(try project.pm("start", "web", "--foreground").code == 64)
            #expect(try project.pm("start", "pm", "--name", "x").code == 64)
        }
    }
}
