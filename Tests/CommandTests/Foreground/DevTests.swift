import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm dev` {
    @Test func `runs a program in Node with watch, source maps and long stacks`() async throws {
        try await TestProject.with { project in
            try project.write("tool.js", "console.log('one', process.argv[2], process.execArgv.join())\n")
            let dev = try project.start([TestPaths.pm, "dev", "./tool.js", "--no-inspect", "a"])
            #expect(dev.waitForOutput("one a --enable-source-maps,--stack-trace-limit=100\n"))
            // Before that Node may not watch the file yet.
            #expect(dev.waitForOutput("Completed running"))
            try project.write("tool.js", "console.log('two')\n")
            #expect(dev.waitForOutput("two\n"))
            dev.signal(SIGTERM)
            _ = dev.wait()
        }
    }

    @Test func `starts the only service again when a file of its package changes, with a new channel`() async throws {
        try await TestProject.with { project in
            try project.write(
                "svc/commands.json",
                #"{"name":"svc","commands":[{"name":"$init","config":{"fs":{"path":"./init.mjs"},"":{"inject":[]}}}]}"#)
            try project.write("svc/init.mjs", "export default () => console.log('first')\n")
            try project.configure(["svc": ["path": "./svc/commands.json", "commandable": true]])
            let dev = try project.start([TestPaths.pm, "dev", "--no-inspect"])
            #expect(dev.waitForOutput("first\n"))
            try project.write("svc/init.mjs", "export default () => console.log('second')\n")
            #expect(dev.waitForOutput("second\n"))
            dev.signal(SIGTERM)
            let outcome = dev.wait()
            #expect(outcome.errors.contains("pm: svc starts again: a file has changed"), "\(outcome)")
        }
    }

    @Test func `a program that is not run by Node runs as with pm run`() async throws {
        try await TestProject.with { project in
            try project.script("own.sh", "echo \"$PM_NAME $*\"; exit 9")
            let outcome = try project.pm("dev", "./own.sh", "x")
            #expect(outcome.code == 9 && outcome.output == "own x\n")
            #expect(outcome.errors == "pm: own is not run by Node: it runs without watch and inspector\n")
        }
    }

    @Test func `without a name there must be one service`() async throws {
        try await TestProject.with { project in
            #expect(try project.pm("dev").code == 66)
            let sleeper = try project.sleeper()
            try project.configure(["web": sleeper, "db": sleeper])
            let outcome = try project.pm("dev")
            #expect(outcome.code == 65 && outcome.errors.contains("there are 2 services: name one"), "\(outcome)")
        }
    }
}
