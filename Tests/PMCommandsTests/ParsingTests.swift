import ArgumentParser
import PMAPI
import PMConfig
import PMModel
import Testing

@testable import PMCommands

private func words(_ line: String) -> [String] {
    CommandLineNormalizer(commands: PM.words).normalized(line.split(separator: " ").map(String.init))
}

private func parse<C: ParsableCommand>(_ line: String, as type: C.Type = C.self) throws -> C {
    try #require(try PM.parseAsRoot(words(line)) as? C, "\(line)")
}

@Suite struct ParsingTests {
    @Test func `each command is a word of pm`() {
        let expected = [
            "start", "stop", "restart", "status", "log", "run", "discover", "map", "unmap", "rename", "import", "ls",
            "call",
            "connect", "version", "install", "uninstall", "update", "link",
            "name", "help", "upgrade", "scale", "reload-metadata", "do", "check", "get", "set",
            "enable", "disable", "is-active", "wait", "pid", "init", "types", "events",
            "history", "apply", "explain", "edit", "export", "plugins", "daemons", "dev", "doctor",
        ]
        #expect(PM.words == Set(expected))
    }

    @Test func `options that pm does not know go to the service that is started, and the others stay pm's`() throws {
        let command: StartCommand = try parse("start web --port 1 -w x --name web2 -- --wait")
        #expect(command.wait && command.name == "web2" && command.program == "web")
        #expect(command.args == ["--port", "1", "x", "--wait"])
        let attached: StartCommand = try parse("start pm --keepAttached")
        #expect(attached.keepAttached)
        #expect(words("connect web tcp --tcpPort=9000") == ["connect", "web", "tcp", "--tcp-port=9000"])
        #expect(words("start web -- --keepAttached") == ["start", "web", "--", "--keepAttached"])
    }

    @Test func `a value that looks like an option is a value`() throws {
        let command: SetCommand = try parse("set web cli --verbose -o json")
        #expect(command.value == "--verbose" && command.global.output == .json && !command.global.verbose)
        let removal: SetCommand = try parse("set web cli -o json")
        #expect(removal.value == nil && removal.global.output == .json)
        #expect(throws: (any Error).self) { try parse("set web --nonsense", as: SetCommand.self) }
    }

    @Test func `commands in hints name the daemon that was meant, and names are words of a shell`() {
        var target = DaemonTarget()
        #expect(target.named("pm start web, once that is done") == "pm start web, once that is done")
        target.selection = .user
        #expect(
            target.named("pm start web, then pm status (pm log web)")
                == "pm --user start web, then pm --user status (pm --user log web)")
        #expect(target.named("pm does not run; pm is up") == "pm does not run; pm is up")
        target.selection = .system
        #expect(
            target.named("pm stop, or start one of your own: pm start pm --user")
                == "pm --system stop, or start one of your own: pm start pm --user")
        #expect(target.named("(pm start pm --config=x, pm status)") == "(pm start pm --config=x, pm --system status)")
        target.selection = .file("/srv/my app/x.json")
        #expect(target.named("pm start pm") == "pm --config '/srv/my app/x.json' start pm")
        #expect("it's".shellWord == "'it'\\''s'" && "web#2".shellWord == "'web#2'" && "".shellWord == "''")
    }

    @Test func `words of other managers are commands by another name`() {
        #expect(words("ps") == ["status"] && words("-v list") == ["status", "-v"] && words("l") == ["status"])
        #expect(words("logs web -f") == ["log", "web", "-f"])
        #expect(words("describe web") == ["status", "web"] && words("reload web") == ["restart", "web"])
        #expect(words("delete web") == ["unmap", "web"])
        // A service of that name is called with `call`.
        #expect(words("call ps list") == ["call", "--", "ps", "list"])
        let tables = OtherManagers.words
        #expect(Set(tables.commands.keys).union(tables.advices.keys).isDisjoint(with: PM.words))
        #expect(tables.commands.values.allSatisfy(PM.words.contains))
        #expect(OtherManagers.destructive.isSubset(of: PM.words))
    }

    @Test func `pm dev takes its own options behind the program, and others are the program's`() throws {
        let dev: DevCommand = try parse("dev api --port 1 --inspect=9230 -- --inspect")
        #expect(dev.program == "api" && dev.args == ["--port", "1", "--inspect"])
        #expect(dev.inspector.inspection.option == "--inspect=127.0.0.1:9230")
        let alone: DevCommand = try parse("dev --inspect=9230")
        #expect(alone.program == nil && alone.inspector.inspection.option == "--inspect=127.0.0.1:9230")
        #expect(try parse("dev ./a.ts --no-inspect", as: DevCommand.self).withoutInspector)
        #expect(throws: (any Error).self) { try parse("dev api --no-inspect --inspect", as: DevCommand.self) }
    }

    @Test func `a pattern and all mean services, a name itself`() {
        let names = ["web", "web-admin", "db", "al"]
        #expect(ServiceNames.matches("web*", names) == ["web", "web-admin"])
        #expect(ServiceNames.matches("*b", names) == ["web", "db"])
        #expect(ServiceNames.matches("all", names) == names)
        #expect(ServiceNames.matches("x*", names).isEmpty)
    }

    @Test func `a program starts with options of its own, and bare words may be services`() throws {
        let program: StartCommand = try parse(
            "start ./app.js -i 4 --name api --env-file .env --watch -- --port 3000")
        #expect(program.program == "./app.js" && program.instances?.value == 4 && program.name == "api")
        #expect(program.envFiles == [".env"] && program.args == ["--watch", "--port", "3000"] && !program.mayBeNames)
        #expect(try parse("start -i 2 app.js", as: StartCommand.self).instances?.value == 2)
        let words: StartCommand = try parse("start -w -- python3 report.py -v")
        #expect(words.isProgram && words.wait && words.program == "python3" && words.args == ["report.py", "-v"])
        // What a service is not started with stays the service's.
        #expect(try parse("start web -i 4", as: StartCommand.self).args == ["-i", "4"])
        let bare: StartCommand = try parse("start web db")
        #expect(bare.mayBeNames && bare.args == ["db"])
        #expect(try !parse("start web -- db", as: StartCommand.self).mayBeNames)
        let mixed: StartCommand = try parse("start web db --port 80")
        #expect(mixed.bareWords == 1 && !mixed.mayBeNames && mixed.args == ["db", "--port", "80"])
    }

    @Test func `times of logs are read in words`() throws {
        let now = LogTime(argument: "now")
        #expect(LogTime(argument: "5min")?.value == .ago(.seconds(300)))
        #expect(LogTime(argument: "2 hours ago")?.value == .ago(.seconds(7200)))
        #expect(LogTime(argument: "1h 30min ago")?.value == .ago(.seconds(5400)))
        #expect(LogTime(argument: "-5min")?.value == .ago(.seconds(300)))
        #expect(LogTime(argument: "@1795386124")?.value == .at(WallTime(seconds: 1_795_386_124)))
        #expect(LogTime(argument: "2026-11-22T14:30:00+01:00")?.value == .at(WallTime(seconds: 1_795_354_200)))
        #expect(LogTime(argument: "1 day")?.value == .ago(.seconds(86_400)))
        #expect(LogTime(argument: "yesterday") != nil && LogTime(argument: "today") != nil && now != nil)
        #expect(LogTime(argument: "someday") == nil && LogTime(argument: "5 parsecs") == nil)
        let log: LogCommand = try parse("log -n5 --color=always")
        #expect(log.lines == .chosen(5) && log.color == .always && log.names == [])
    }

    @Test func `pm starts`() throws {
        let plain: StartCommand = try parse("start pm")
        #expect(plain.program == "pm" && !plain.wait && !plain.keepAttached && plain.inspection == .none)
        let all: StartCommand = try parse("start pm --wait --keep-attached --inspect-brk --user -v")
        #expect(all.wait && all.keepAttached && all.inspection == .inspectBreak && all.global.verbose)
        #expect(all.global.target.selection == .user)
    }

    @Test func `a service starts with everything there is`() throws {
        let command: StartCommand = try parse("start web -w --inspect --autostart --name w2 a b -- --port 1 -v")
        var call = Start(name: "web")
        (call.waits, call.settles) = (true, true)
        call.inspection = .inspect
        call.autostart = true
        call.alias = "w2"
        call.arguments = ["a", "b", "--port", "1", "-v"]
        #expect(command.call == call)
        let new: StartCommand = try parse("start --new web")
        #expect(new.call.isNew)
    }

    @Test(
        arguments: [
            ("--port 1", ["--port", "1"], ["--port"]),
            ("--port=1 a -x b", ["--port=1", "a", "-x", "b"], ["--port=1", "-x"]),
            ("-w --port 1 --name w2 -v", ["--port", "1"], ["--port"]), ("-wv - x", ["-", "x"], []),
            ("--wiat -o json", ["--wiat"], ["--wiat"]),
            ("a -- -w --name x -- b", ["a", "-w", "--name", "x", "--", "b"], []),
        ] as [(String, [String], [String])])
    func `behind the name of a service, options that pm does not know are the service's`(
        line: String, arguments: [String], unknown: [String]
    ) throws {
        let command: StartCommand = try parse("start web \(line)")
        #expect(command.call.name == "web" && command.call.arguments == arguments)
        #expect(command.wait == line.hasPrefix("-w"))
        let normalizer = CommandLineNormalizer(commands: PM.words)
        #expect(normalizer.passedOn("start web \(line)".split(separator: " ").map(String.init)) == unknown)
        #expect(normalizer.passedOn(["stop", "web", "--port"]) == [])
    }

    @Test func `an option that may be misspelt is known`() {
        #expect(CommandLineNormalizer.near("--wiat") == "--wait")
        #expect(CommandLineNormalizer.near("--autostrat=1") == "--autostart")
        #expect(CommandLineNormalizer.near("--port") == nil)
    }

    @Test(arguments: [
        "start", "start web --foreground", "start pm --name x", "start pm --new", "start pm --autostart",
        "start pm x", "start pm tcp --foreground", "start --key k web",
        "start web --name x --new", "start pm --pm-sock /x", "start --port 1 web", "status --nope", "start pm -i 2",
        "status --user --system", "status --user --config x", "status --pm-sock x --config y", "status -o xml",
        "restart", "stop web pm", "restart a b --inspect",
        "restart pm", "map web", "stop web --all", "log web -n x", "log web -n -1",
        "log web --since someday", "is-active", "wait", "wait web --for lunch", "pid",
        "log web --raw --timestamps", "log web --out --err", "log web --grep (", "connect", "discover a b c", "run",
        "run --name a --new x", "ls x", "version x y",
        "name x", "start --wait=yes web", "call", "-x", "--nope status", "--output", "status --pm-sock",
    ]) func `wrong usage exits with 64`(line: String) throws {
        let fixture = try CommandFixture()
        var session = CommandContext(
            environment: [:], terminal: Terminal(), output: fixture.output, errors: fixture.errors)
        session.terminal.columns = 80
        #expect(Program.run(line.split(separator: " ").map(String.init), session) == 64)
        #expect(fixture.errors.text.hasPrefix("pm: "), "\(fixture.errors.text)")
        #expect(fixture.output.text == "")
    }

    @Test(arguments: [
        "--help", "-h", "", "help", "help start", "start --help", "call --help", "run --help", "--version",
    ])
    func `help and version are results`(line: String) throws {
        let fixture = try CommandFixture()
        let session = CommandContext(
            environment: [:], terminal: Terminal(), output: fixture.output, errors: fixture.errors)
        #expect(Program.run(line.split(separator: " ").map(String.init), session) == 0)
        #expect(!fixture.output.text.isEmpty && fixture.errors.text == "")
    }

    @Test func `the other commands are parsed`() throws {
        #expect(try parse("stop", as: StopCommand.self).names == [])
        let stop: StopCommand = try parse("stop web db --now")
        #expect(stop.names == ["web", "db"] && stop.call("web").isNow)
        #expect(stop.call("pm").name == nil)
        var restart = Restart(name: "web")
        (restart.waits, restart.settles) = (true, true)
        #expect(try parse("restart web --wait", as: RestartCommand.self).call("web") == restart)
        #expect(try parse("status", as: StatusCommand.self).call == Status())
        #expect(try parse("status web -o json", as: StatusCommand.self).global.output == .json)
        let map: MapCommand = try parse("map my-app ./dist/commands.json --commandable --runtime worker -s")
        #expect(map.commandable && map.stateless && map.runtime == .worker && map.path == "./dist/commands.json")
        #expect(try parse("map a b -c -r docker", as: MapCommand.self).commandable)
        let discover: DiscoverCommand = try parse("discover")
        #expect(discover.path == "." && discover.name == nil)
        #expect(try parse("discover /x my-name", as: DiscoverCommand.self).name == "my-name")
        #expect(try parse("connect web", as: ConnectCommand.self).name == "web")
        _ = try parse("ls", as: ListCommand.self)
        _ = try parse("version", as: VersionCommand.self)
        _ = try parse("name", as: NameCommand.self)
    }

    @Test func `logs are asked for`() throws {
        let plain: LogCommand = try parse("log web")
        #expect(
            plain.call.names == ["web"] && plain.call.lines == 100 && plain.call.wantsRecords && !plain.call.follows)
        let all: LogCommand = try parse("log web api -f -n 5 --since 10m --timestamps")
        #expect(all.call.names == ["web", "api"] && all.call.lines == 5 && all.call.follows && all.timestamps)
        #expect(all.call.since == .ago(.seconds(600)))
        #expect(try parse("log web -n all", as: LogCommand.self).call.lines == nil)
        #expect(try parse("log web --since 1h", as: LogCommand.self).call.lines == nil)
        let dated: LogCommand = try parse("log web --since 2026-11-22T22:22:04Z --raw")
        #expect(dated.call.since == .at(.init(nanoseconds: 1_795_386_124_000_000_000)) && dated.raw)
    }

    @Test(arguments: ["14:30", "14:30:15", "2026-11-22", "2026-11-22T14:30", "2026-11-22T14:30:15.5"])
    func `local times are understood`(text: String) {
        #expect(LogTime(argument: text) != nil)
    }

    @Test(arguments: ["", "25:00", "14", "2026-13-01", "tomorrow"]) func `no time is refused`(text: String) {
        #expect(LogTime(argument: text) == nil)
    }
}

@Suite struct FallThroughTests {
    @Test func `a first word that is no command names a service`() throws {
        let call: CallCommand = try parse("api greet Ada")
        #expect(call.service == "api" && call.command == "greet" && call.args == ["Ada"])
    }

    @Test func `options of pm stand before the name`() throws {
        let call: CallCommand = try parse("-o json --pm-sock=/x -v api greet")
        #expect(call.global.output == .json && call.global.pmSock == "/x" && call.global.verbose)
        #expect(call.service == "api" && call.command == "greet" && call.args == [])
    }

    @Test func `what follows the name reaches the service, dashes included`() throws {
        let call: CallCommand = try parse("api greet --help -o json --user -- -x --")
        #expect(call.args == ["--help", "-o", "json", "--user", "--", "-x", "--"])
        #expect(call.global.output == .table)
    }

    @Test func `call does the same for names that are words of pm`() throws {
        let timed: CallCommand = try parse("call --timeout 1.5s --json-args start greet --timeout 2s")
        #expect(timed.timeout == .milliseconds(1500) && timed.jsonArguments && timed.args == ["--timeout", "2s"])
        let call: CallCommand = try parse("-v call --json-args -o json start greet --help -v")
        #expect(call.service == "start" && call.command == "greet" && call.args == ["--help", "-v"])
        #expect(call.jsonArguments && call.global.output == .json && call.global.verbose)
    }

    @Test func `options of pm may stand before any command`() throws {
        let status: StatusCommand = try parse("--config c.json -o json status web")
        #expect(status.global.output == .json && status.global.target.selection == .file("c.json"))
        #expect(status.name == "web")
    }

    @Test func `what follows the program of run is the program's`() throws {
        let run: RunCommand = try parse("run --name n my-app --arg1 value1 -o x --inspect")
        #expect(run.program == "my-app" && run.args == ["--arg1", "value1", "-o", "x"])
        #expect(run.inspector.inspect && run.name == "n" && run.global.output == .table)
        let late: RunCommand = try parse("run my-app --keep-attached --name x y")
        #expect(late.keepAttached && late.name == "x" && late.args == ["y"])
        let verbatim: RunCommand = try parse("run -v my-app -- --inspect --name x")
        #expect(
            verbatim.args == ["--inspect", "--name", "x"] && !verbatim.inspector.inspect && verbatim.global.verbose)
    }

    @Test func `a lone word is no call`() throws {
        let fixture = try CommandFixture()
        #expect(fixture.run("staus") == 64)
        #expect(
            fixture.errors.text == """
                pm: 'staus' is no command of pm, and calling a service needs a command too
                hint: did you mean 'pm status'?

                """)
    }

    @Test func `the help says so`() {
        #expect(PM.helpMessage(columns: 200).contains("a first word that is no command of pm is the name of a service"))
    }
}
