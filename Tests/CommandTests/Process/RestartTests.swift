import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm restart` {
    private func running(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()], mapping: project.mapping("web"))
            try project.startDaemon()
            try body(project)
        }
    }

    @Test func `replaces the process, keeps its arguments and counts no crash`() async throws {
        try await running { project in
            try project.must("start", "web", "--wait", "first", "second")
            let old = try project.status("web")["pid"]
            let text = try project.must("restart", "web", "--wait")
            let row = try project.status("web")
            #expect(text == "web is up, pid \(row["pid"]?.int ?? 0)\n")
            #expect(row["pid"] != old)
            #expect(row["ready"]?.bool == true)
            #expect(row["restarts"]?.int == 0)
            let log = lines(try project.must("log", "web"))
            #expect(log.filter { $0.contains("web got first second") }.count == 2)
        }
    }

    @Test func `starts what is down, and answers in JSON`() async throws {
        try await running { project in
            let answer = try project.json("restart", "web", "--wait")
            #expect(keys(answer) == ["name", "pid", "state", "ready", "execPath", "args", "cwd"])
            #expect(answer["pid"] == (try project.status("web")["pid"]))
        }
    }

    @Test func `tells of a program that cannot run any more`() async throws {
        try await TestProject.with { project in
            try project.script("web", "exec sleep 1000")
            try project.configure(["web": ["path": "./web"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try project.script("web", "exit 3")
            for options in [[], ["--wait"]] {
                let outcome = try project.run([TestPaths.pm, "restart", "web"] + options)
                #expect(outcome.code == 70 && outcome.errors.contains("exit code 3"), "\(outcome)")
            }
        }
    }

    @Test func `of several, and of instances, it tells which cannot run any more`() async throws {
        try await TestProject.with { project in
            try project.script("web", "exec sleep 1000")
            try project.script("db", "exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web", "stateless": true], "db": ["path": "./db"]],
                mapping: ["web": ["container": "web", "instances": 2]])
            try project.startDaemon()
            try project.must("start", "web", "db")
            let kept = try project.status("web#2")["pid"]
            try project.script("web", "exit 3")
            let outcome = try project.pm("restart", "web", "db")
            #expect(outcome.code == 70 && outcome.errors.contains("exit code 3"), "\(outcome)")
            #expect(outcome.output.hasPrefix("db is up, pid "), "\(outcome)")
            // The instance that has not been reached goes on with the program that works.
            #expect(try project.status("web#2")["pid"] == kept)
        }
    }

    @Test func `a program that works before it fails is watched until then, on a busy machine too`() async throws {
        try await TestProject.with { project in
            let body = """
                for (;;) {
                  const { user, system } = process.cpuUsage()
                  if (user + system > 350_000) process.exit(3)
                }
                """
            try project.write("web.mjs", body)
            try project.configure(["web": ["path": "./web.mjs"]])
            try project.startDaemon()
            for verb in ["start", "restart"] {
                let outcome = try project.pm(verb, "web")
                #expect(outcome.code == 70 && outcome.errors.contains("exit code 3"), "\(outcome)")
            }
        }
    }

    @Test func `--inspect puts Node under its inspector`() async throws {
        try await TestProject.with { project in
            try project.configure(["svc": try project.answering()])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            #expect(try !project.must("log", "svc").contains("Debugger listening"))
            try project.must("restart", "svc", "--inspect", "--wait")
            #expect(try project.must("log", "svc").contains("Debugger listening on ws://"))
        }
    }

    @Test func `is refused for pm itself, and for what does not exist`() async throws {
        try await running { project in
            let own = try project.pm("restart", "pm")
            #expect(own.code == 64)
            #expect(own.errors.hasPrefix("pm: To restart pm: pm stop, then pm start pm.\n"))
            let ghost = try project.pm("restart", "ghost")
            #expect(ghost.code == 66)
            #expect(ghost.errors == "pm: there is no service ghost\nhint: pm ls shows what there is\n")
        }
    }

    /// Each way in which a definition cannot start, as a change of the project, and a part of the error.
    private static let faults: [(mapping: JSONValue, file: (name: String, text: String)?, error: String)] = [
        (["cwd": "./gone"], nil, "/gone: No such file or directory"),
        (["envFiles": ["./gone.env"]], nil, "gone.env"),
        (["user": "nobody-of-this-name"], nil, "mapping.svc.user: "),
        ([:], ("svc/commands.json", "{\n  nonsense\n}"), "svc/commands.json:2:3: "),
        (["env": ["PATH": "/gone"]], nil, "exec node: No such file or directory"),
        (
            ["connect": ["https://127.0.0.1:1": ["key": "./gone.pem", "cert": "./gone.pem"]]], nil,
            "mapping.svc.connect, the key of https://127.0.0.1:1: "
        ),
        (
            ["connect": ["https://127.0.0.1:1": ["key": "./svc/args.mjs", "cert": "./svc/args.mjs"]]], nil,
            "svc/args.mjs has no PEM text"
        ),
    ]

    @Test(arguments: faults.indices)
    func `is refused when the new start cannot succeed, and the old process goes on`(_ index: Int) async throws {
        let fault = Self.faults[index]
        try await TestProject.with { project in
            let definition = try project.answering()
            try project.configure(["svc": definition])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let old = try project.status("svc")["pid"]
            try project.configure(["svc": definition], mapping: ["svc": fault.mapping])
            if let file = fault.file { try project.write(file.name, file.text) }
            let refused = try project.pm("restart", "svc")
            #expect(refused.code == 70, "\(refused)")
            #expect(refused.errors.hasPrefix("pm: cannot restart svc: "), "\(refused.errors)")
            #expect(refused.errors.contains(fault.error), "\(refused.errors)")
            #expect(refused.errors.contains("; its running process is kept\nhint: "), "\(refused.errors)")
            let row = try project.status("svc")
            #expect(row["pid"] == old && row["ready"]?.bool == true && row["restarts"]?.int == 0)
            #expect(try project.must("svc", "value", "zero") == "0\n")
        }
    }

    @Test func `a missing program is told before the stop, and restarts when it is there`() async throws {
        try await running { project in
            try project.must("start", "web", "--wait")
            let old = try project.status("web")["pid"]
            try project.configure(["web": ["path": "./new.sh"]], mapping: project.mapping("web"))
            let refused = try project.pm("restart", "web")
            #expect(refused.code == 70 && refused.errors.contains("/new.sh: No such file or directory"), "\(refused)")
            try project.write("new.sh", "#!/gone/shell\n", executable: true)
            #expect(try project.pm("restart", "web").code == 70)
            #expect(try project.status("web")["pid"] == old)
            try project.script("new.sh", "echo up; exec sleep 1000")
            try project.must("restart", "web", "--wait")
            #expect(try project.status("web")["pid"] != old)
        }
    }
}
