import ArgumentParser
import Glibc
import JSON
import PMAPI
import PMClient
import PMModel
import PMSystem

/// `pm start pm` and `pm start NAME [args...]`.
struct StartCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the daemon (`pm start pm`), a service and the services that it depends on, or a program.",
        discussion: """
            `pm start api` starts the service api. `pm start worker --queue mail` starts the service worker with the \
            arguments `--queue mail`: options that pm does not know, and all words after `--`, go to the service. `pm start pm` starts the \
            daemon for the nearest .pm.config.json, in the working directory or above it; if there is no such file, pm \
            makes one in the working directory. `pm start pm tcp --tcp-port 9000` does `pm connect pm tcp --tcp-port 9000` then.

            `pm start web db` starts two services, and `pm start 'web*'` those whose names begin with web; write `--` before \
            an argument that is the name of a service.

            `pm start ./app.js -i 2 --env-file .env -- --port 3000` adds a program to the .pm.config.json as the service \
            app, starts the daemon where none runs, and starts the service. It may also be a folder with package.json or \
            commands.json, or a program of PATH: `pm start -- python3 report.py`, `pm start npm -- start`.

            `pm start ecosystem.config.js --env production --only api,worker` adds the apps of a file of PM2, as `pm \
            import` does, and starts them.

            EXAMPLES
              pm start ./app.js
              pm start api --wait
              pm start -- python3 report.py
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { !keepAttached && !foreground }

    @Flag(
        name: .shortAndLong,
        help: "Wait until the service is ready (with pm: up to 5 seconds for the services with autostart).")
    var wait = false

    @Option(help: "Run the service under this name.", transform: ServiceArgument.read)
    var name: String?

    @Flag(help: "Run the service under a random name.")
    var new = false

    @OptionGroup var inspector: InspectorOptions

    @Flag(
        name: .customLong("program"),
        help: "Start a file or a program of PATH; `pm start -- PROGRAM` does the same.")
    var isProgram = false

    @Option(
        name: [.customShort("i"), .long],
        help: ArgumentHelp(
            "With a program: run this many instances, or max: one per processor.", valueName: "count|max"),
        completion: .list(["max"]))
    var instances: InstanceCount?

    @Option(
        name: .customLong("env-file"),
        help: ArgumentHelp("With a program: read its variables from this file at each start.", valueName: "file"),
        completion: .file())
    var envFiles: [String] = []

    @Option(help: ArgumentHelp("With a program: its working directory.", valueName: "folder"), completion: .directory)
    var cwd: String?

    /// The number of arguments before the first option of the service and before `--`: the user may mean them as names.
    @Option(name: .customLong("bare-words"), help: .hidden)
    var bareWords = 0

    @Flag(help: "Start the service whenever pm starts.")
    var autostart = false

    @Flag(
        name: .customLong("keep-attached"),
        help: "Stay and show the output of the service (with pm: of all services); Ctrl-C stops it.")
    var keepAttached = false

    @Flag(help: "With pm: run in the foreground, for systemd or as the first process of a container.")
    var foreground = false

    @OptionGroup var profile: ProfileOption

    /// With pm: its connection points, as in `pm connect pm`. The words for a service go to the service.
    @OptionGroup(visibility: .hidden) var points: PointOptions

    @Argument(
        help: "The service, a program, or `pm` for the daemon.",
        completion: .from(.daemon, .services, .files),
        transform: ServiceArgument.read)
    var program: String

    @Argument(help: "Arguments for the service.", completion: .from(.services, .files))
    var args: [String] = []

    /// Refuses options that have no effect on what is started, instead of ignoring them.
    func validate() throws {
        if name != nil && new { throw ValidationError("--name and --new exclude each other.") }
        if program == "pm" {
            if name != nil || new || autostart {
                throw ValidationError("--name, --new and --autostart are for services, not for pm.")
            }
            if isProgram || hasProgramOptions {
                throw ValidationError("--program, --instances, --env-file and --cwd are for programs, not for pm.")
            }
            if let word = args.first(where: { !Self.transports.contains($0) }) {
                throw ValidationError("pm itself takes no argument but local, tcp, http and ws: \(word)")
            }
            if foreground && wantsPoints {
                throw ValidationError("--foreground excludes connection points: use `pm connect pm` for them.")
            }
            if foreground && (keepAttached || wait) {
                throw ValidationError("--foreground excludes --wait and --keep-attached: pm itself becomes the daemon.")
            }
            if global.pmSock != nil {
                throw ValidationError(
                    "--pm-sock cannot be used with `pm start pm`: the configuration determines the socket.")
            }
        } else if profile.profile != nil {
            throw ValidationError("--profile is for `pm start pm`: a daemon has one profile for all its services.")
        } else if !points.members.isEmpty {
            let option = points.members.map(\.key).first ?? ""
            throw ValidationError("\(option) is for pm; the options of \(program) come after its name.")
        } else if foreground {
            throw ValidationError(
                "--foreground is for `pm start pm`; `pm run \(program.shellWord)` runs a service here.")
        }
    }

    private static let transports: Set<String> = ["local", "tcp", "http", "ws"]

    /// True when connection points of the daemon are to be set.
    var wantsPoints: Bool { !args.isEmpty || !points.members.isEmpty }

    var inspection: Start.Inspection { inspector.inspection }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        program == "pm" ? try DaemonStart(command: self, session: session).execute() : try startService(session)
    }

    /// The call that this command line means.
    var call: Start {
        var call = Start(name: program)
        call.waits = wait
        call.settles = true
        call.alias = name
        call.isNew = new
        call.inspection = inspection
        call.autostart = autostart ? true : nil
        call.arguments = args
        return call
    }

    /// True when all words may be names of services.
    var mayBeNames: Bool { bareWords > 0 && bareWords == args.count }

    /// The program and its arguments as a shell takes them.
    var programWords: String {
        let words = ([program] + args).map(\.shellWord)
        if isProgram { return "-- " + words.joined(separator: " ") }
        return ([words[0]] + (args.isEmpty ? [] : ["--"]) + words.dropFirst()).joined(separator: " ")
    }

    /// True for options that only change the entry of a program.
    private var hasProgramOptions: Bool { instances != nil || !envFiles.isEmpty || cwd != nil }

    private func startService(_ session: CommandContext) throws(APIError) -> ExitCode {
        var call = call
        let client: DaemonClient
        if isListOfPrograms(session) { return try startPrograms(session) }
        if let prepared = try EcosystemStart(command: self, session: session).prepared() {
            guard !hasProgramOptions else {
                return Program.misused(
                    .badRequest("--instances, --env-file and --cwd are for one program: write them into the file"),
                    session)
            }
            return try startAll(prepared.names, prepared.client, session)
        }
        if let prepared = try ProgramStart(command: self, session: session).prepared() {
            client = prepared.client
            (call.name, call.alias, call.arguments) = (prepared.name, nil, [])
        } else {
            guard !hasProgramOptions else {
                return Program.misused(
                    .badRequest(
                        "--instances, --env-file and --cwd are for programs, and \(program) is none",
                        hint: "pm scale NAME N for a service; envFiles and cwd are keys of its mapping"), session)
            }
            client = try session.connect()
            let words = StartArguments(command: self, session: session)
            if let names = try words.names(client) { return try startAll(names, client, session) }
        }
        guard !keepAttached else { return try ServiceAttachment(session: session).start(call) }
        guard wait, inspection.mode == .inspectBreak else {
            try Self.tell(try client.askForText(call, within: nil), fallback: name ?? program, session)
            return .success
        }
        var first = call
        first.waits = false
        let answer = try client.ask(first, within: nil)
        try DebuggerWait(session: session, client: client).wait(for: answer, fallback: name ?? program)
        return .success
    }

    /// True when each word is a file: they are programs, and not arguments of the first one.
    private func isListOfPrograms(_ session: CommandContext) -> Bool {
        // Without a working directory no word is a file, and what follows says why there is none.
        guard mayBeNames, name == nil, !keepAttached, let directory = try? session.workingDirectory() else {
            return false
        }
        return ([program] + args).allSatisfy {
            ProgramEntry.isFile($0) && access(Paths.resolve($0, from: directory), F_OK) == 0
        }
    }

    /// Adds several programs, and starts them at once.
    private func startPrograms(_ session: CommandContext) throws(APIError) -> ExitCode {
        var names: [String] = []
        for word in [program] + args {
            var command = self
            (command.program, command.args, command.bareWords) = (word, [], 0)
            names.append(try ProgramStart(command: command, session: session).prepared()?.name ?? word)
        }
        return try startAll(names, try session.connect(), session)
    }

    /// Starts several services at once. The first refusal is thrown when all others are answered.
    private func startAll(_ names: [String], _ client: DaemonClient, _ session: CommandContext) throws(APIError)
        -> ExitCode
    {
        guard name == nil, !new, !keepAttached, inspection == .none else {
            return Program.misused(
                .badRequest("--name, --new, --keep-attached and an inspector are for one service: name one"), session)
        }
        let calls = names.map { name in
            var call = call
            (call.name, call.arguments) = (name, [])
            return call
        }
        var results: [JSONValue] = []
        let refusals = try ServiceNames(client: client).answers(to: calls) { call, answer in
            results.append(answer.json)
            if session.format == .table { session.output.line(Self.sentence(answer, fallback: call.name)) }
        }
        ServiceNames.show(results, of: [program] + args, session)
        try ServiceNames.report(refusals, session)
        return .success
    }

    /// Shows the answer of the daemon about what was started.
    static func tell(_ text: [UInt8], fallback: String, _ session: CommandContext) throws(APIError) {
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table: session.output.line(sentence(try Start.Answer(json: parsedAnswer(text)), fallback: fallback))
        }
    }

    /// `web is up, pid 123`; for a program that does not serve yet `web started, pid 123, not ready yet`.
    static func sentence(_ answer: Start.Answer, fallback: String) -> String {
        let name = DisplayWidth.printable(answer.name.isEmpty ? fallback : answer.name)
        let inspector = answer.inspector.map { ", inspector \(DisplayWidth.printable($0))" } ?? ""
        let pid = (answer.pid.map { ", pid \($0)" } ?? "") + inspector
        let state = ServiceState(rawValue: answer.state)
        switch (state, answer.isReady) {
        case (.up, true) where answer.wasRunning: return "\(name) is already running\(pid)"
        case (.up, false) where answer.wasRunning: return "\(name) is already running\(pid), not ready yet"
        case (.up, false): return "\(name) started\(pid), not ready yet"
        case (.down, _): return "\(name) was started and has ended"
        default: return "\(name) is \(answer.state)\(pid)"  // a state of another version is shown as it came
        }
    }
}

/// `-i`: a number of instances, or `max` for one per processor.
struct InstanceCount: ExpressibleByArgument, Equatable {
    let value: Int

    init?(argument: String) {
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let count = argument == "max" ? min(processors, Mapping.mostInstances) : Int(argument)
        guard let count, count > 0, count <= Mapping.mostInstances else { return nil }
        value = count
    }
}
