import ArgumentParser
import PMAPI
import PMModel

/// `pm start pm` and `pm start NAME [args...]`.
struct StartCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the daemon (`pm start pm`), or a service and the services that it depends on.",
        discussion: """
            `pm start api` starts the service api. `pm start worker --queue mail` starts the service worker with the \
            arguments `--queue mail`: options that pm does not know, and all words after `--`, go to the service. `pm start pm` starts the \
            daemon for the nearest .pm.config.json, in the working directory or above it; if there is no such file, pm \
            makes one in the working directory.
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

    @Flag(help: "Start the service whenever pm starts.")
    var autostart = false

    @Flag(
        name: .customLong("keep-attached"),
        help: "Stay and show the output of the service (with pm: of all services); Ctrl-C stops it.")
    var keepAttached = false

    @Flag(help: "With pm: run in the foreground, for systemd or as the first process of a container.")
    var foreground = false

    @Argument(
        help: "The service, or `pm` for the daemon.", completion: ServiceArgument.completion,
        transform: ServiceArgument.read)
    var program: String

    @Argument(help: "Arguments for the service.")
    var args: [String] = []

    /// Refuses options that have no effect on what is started, instead of ignoring them.
    func validate() throws {
        if name != nil && new { throw ValidationError("--name and --new exclude each other.") }
        if program == "pm" {
            if name != nil || new || autostart {
                throw ValidationError("--name, --new and --autostart are for services, not for pm.")
            }
            if !args.isEmpty { throw ValidationError("pm itself takes no arguments: \(args.joined(separator: " "))") }
            if foreground && (keepAttached || wait) {
                throw ValidationError("--foreground excludes --wait and --keep-attached: pm itself becomes the daemon.")
            }
            if global.pmSock != nil {
                throw ValidationError(
                    "--pm-sock cannot be used with `pm start pm`: the configuration determines the socket.")
            }
        } else if foreground {
            throw ValidationError("--foreground is for `pm start pm`; `pm run \(program)` runs a service here.")
        }
    }

    var inspection: Start.Inspection { inspector.inspection }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        program == "pm" ? try DaemonStart(command: self, session: session).execute() : try startService(session)
    }

    /// The call that this command line means.
    var call: Start {
        var call = Start(name: program)
        call.waits = wait
        call.settles = !wait
        call.alias = name
        call.isNew = new
        call.inspection = inspection
        call.autostart = autostart ? true : nil
        call.arguments = args
        return call
    }

    private func startService(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
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
