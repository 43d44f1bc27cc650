import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm run` {
    @Test func `runs a program here: arguments, standard input, output and exit code`() async throws {
        try await TestProject.with { project in
            try project.script("own.sh", "read line; echo \"$PM_NAME $line: $*\"; echo oh >&2; exit 9")
            let outcome = try project.run(
                [TestPaths.pm, "run", "./own.sh", "a b", "--port", "80", "-v"], input: "hello\n")
            #expect(outcome.code == 9)
            #expect(outcome.output == "own hello: a b --port 80 -v\n")
            #expect(outcome.errors == "oh\n")
            let named = try project.run(
                [TestPaths.pm, "run", "own.sh", "x", "--name", "q", "--", "--inspect"], input: "hi\n")
            #expect(named.output == "q hi: x --inspect\n")
            #expect(try project.pm("run", "sh", "--", "-c", "exit 3").code == 3)
            #expect(try Files.status(project.socket) == nil)
        }
    }

    @Test func `--new makes up a name; --inspect puts Node under its inspector`() async throws {
        try await TestProject.with { project in
            try project.write(
                "tool.js", "console.log(process.env.PM_NAME, process.execArgv[0], process.argv.slice(2).join())\n")
            let new = try project.must("run", "./tool.js", "--new", "--x", "1")
            #expect(new.contains(/^[a-z]+-[a-z]+ undefined --x,1\n$/))
            // The inspector's port may be taken by others, which Node only notes.
            let inspected = try project.must("run", "--inspect", "./tool.js", "a")
            #expect(inspected.contains(/^tool --inspect(=\S+)? a\n$/))
        }
    }

    @Test func `shows lines of the sources where a source map is beside the program, unless that is refused`()
        async throws
    {
        try await TestProject.with { project in
            try project.write("app.cjs", "throw new Error('broken')\n//# sourceMappingURL=app.cjs.map\n")
            let before = try project.pm("run", "./app.cjs")
            #expect(before.errors.contains("/app.cjs:1:7)"), "\(before)")
            // The first place of the program is line 11 of its source.
            try project.write("app.cjs.map", #"{"version":3,"sources":["src/app.ts"],"names":[],"mappings":"AAUA"}"#)
            let mapped = try project.pm("run", "./app.cjs")
            #expect(mapped.code == 1 && mapped.errors.contains("/src/app.ts:11:1)"), "\(mapped)")
            let refused = try project.run(
                [TestPaths.pm, "run", "./app.cjs"], adding: ["NODE_OPTIONS": "--no-enable-source-maps"])
            #expect(refused.errors.contains("/app.cjs:1:7)"), "\(refused)")
        }
    }

    @Test func `passes signals on, and ends as the program ends`() async throws {
        try await TestProject.with { project in
            try project.script("trap.sh", "trap 'echo told; exit 42' TERM; echo up; while :; do sleep 0.02; done")
            let polite = try project.start([TestPaths.pm, "run", "./trap.sh"])
            #expect(polite.waitForOutput("up\n"))
            polite.signal(SIGTERM)
            let outcome = polite.wait()
            #expect(outcome.code == 42)
            #expect(outcome.output == "told\n")
            #expect(try project.pm("run", "sh", "--", "-c", "kill -9 $$").code == 137)
        }
    }

    @Test func `runs a service by name as the configuration says`() async throws {
        try await TestProject.with { project in
            try project.write("work/.keep", "")
            try project.script("web.sh", "pwd; echo \"$K $PM_NAME $*\"")
            try project.configure(
                ["web": ["path": "./web.sh"]],
                mapping: ["web": ["container": "web", "cli": ["--a"], "cwd": "./work", "env": ["K": "v"]]])
            let outcome = try project.run([TestPaths.pm, "run", "web", "b", "--keep-attached"], in: "work")
            #expect(outcome.code == 0)
            #expect(lines(outcome.output) == ["\(project.directory)/work", "v web --a b"])
        }
    }

    @Test func `hosts a commandable service, which gets signals and keeps its output`() async throws {
        try await TestProject.with { project in
            _ = try project.answering()
            try project.write(
                "svc/init.mjs",
                "export default () => { process.once('SIGTERM', () => { console.log('told'); process.exit(7) }); "
                    + "console.log('serves as', process.env.PM_NAME) }\n")
            try project.write(
                "svc/commands.json",
                #"{"name":"svc","commands":[{"name":"$init","config":{"fs":{"path":"./init.mjs"},"":{"inject":[]}}}]}"#)
            try project.configure(["svc": ["path": "./svc/commands.json", "commandable": true]])
            let hosted = try project.start([TestPaths.pm, "run", "svc", "--name", "here"])
            #expect(hosted.waitForOutput("serves as here\n"))
            hosted.signal(SIGTERM)
            let outcome = hosted.wait()
            #expect(outcome.code == 7)
            #expect(outcome.output == "told\n")
        }
    }

    @Test func `tells what cannot be run`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": ["path": "./gone.sh"], "box": ["path": "image", "type": "docker"]])
            let unknown = try project.pm("run", "nosuch")
            #expect(unknown.code == 66)
            #expect(unknown.errors == "pm: there is no service, file or program nosuch\nhint: pm ls\n")
            #expect(try project.pm("run", "./nosuch").code == 66)
            let gone = try project.pm("run", "web")
            #expect(gone.code == 66)
            #expect(gone.errors.contains("\(project.directory)/gone.sh"))
            #expect(
                try project.pm("run", "box").errors.contains("only the daemon runs the runtime docker"))
            #expect(try project.pm("run").code == 64)
            #expect(try project.pm("run", "--new", "--name", "x", "true").code == 64)
        }
    }
}
