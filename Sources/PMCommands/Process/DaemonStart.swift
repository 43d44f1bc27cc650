import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// `pm start pm`: launches the daemon and, with `--keep-attached`, stays with it.
struct DaemonStart {
    let command: StartCommand
    let session: CommandContext

    func execute() throws(APIError) -> ExitCode {
        let locator = try session.locator()
        let location = try locator.locationForStart()
        for problem in location.passedOver { session.note(problem.description) }
        try Self.requireTrust(location)
        try refuseReference(location, locator.context)
        // The socket of a service manager is served by nobody yet.
        let isActivated = session.environment["LISTEN_FDS"] != nil
        let owner = isActivated || location.scope != .project ? nil : SocketOwner(location, locator)
        if let owner, owner.verdict == .same { return try useRunning(location, locator, owner.refusal) }
        let wanted = try replace(owner)
        if command.foreground { try launcher(location).become() }
        // Before the launch: ^C between it and the attachment would otherwise leave a daemon nobody asked to stay.
        let signals = command.keepAttached ? try SignalWatch.ofAttachment() : nil
        let start = session.clock.wall()
        let pid: Int32
        do throws(APIError) {
            pid = try launcher(location).launch(until: .serving)
        } catch {
            guard error.statusCode == 409 else { throw error }
            return try useRunning(location, locator, error)
        }
        if command.wantsPoints { try setPoints(try locator.connect(to: location)) }
        if !wanted.isEmpty { SocketOwner.start(wanted, try locator.connect(to: location), session) }
        tell(location, pid, unstarted(location, locator))
        guard let signals else { return .success }
        let client = try locator.connect(to: location)
        return try Attachment(session: session, client: client, location: location).stay(since: start, until: signals)
    }

    /// Goes on with a daemon that runs already; throws the conflict where that is not what was asked.
    private func useRunning(
        _ location: DaemonLocation, _ locator: DaemonLocator, _ conflict: APIError
    ) throws(APIError) -> ExitCode {
        // With --keep-attached, ^C would stop services that another user of the daemon has started.
        guard !command.keepAttached, !command.foreground, command.inspection == .none else { throw conflict }
        let client = try locator.connect(to: location)
        try tellRunning(location, client)
        try setPoints(client)
        return .success
    }

    /// Stops a daemon whose folder has become this one, and returns its services.
    private func replace(_ owner: SocketOwner?) throws(APIError) -> [String] {
        guard let owner else { return [] }
        switch owner.verdict {
        case .moved: return try owner.stop(session)
        case .same, .other: throw owner.refusal
        }
    }

    /// Gives the daemon the connection points of the command line, as `pm connect pm` does.
    private func setPoints(_ client: DaemonClient) throws(APIError) {
        guard command.wantsPoints else { return }
        _ = try client.ask(try command.points.call("pm", command.args, session))
    }

    /// Refuses to make an empty configuration beside one of the reference implementation: its services would be missing.
    func refuseReference(_ location: DaemonLocation, _ context: LocationContext) throws(APIError) {
        let directory = Paths.directory(of: location.configFile)
        let path = Paths.resolve(ReferenceConfiguration.fileName, from: directory)
        guard !location.hasConfigFile, Paths.name(of: location.configFile) == DaemonLocation.configName,
            let bytes = context.files.contents(of: path),
            // Another program's file is none of pm's business.
            let reference = try? ReferenceConfiguration(path: path, bytes: bytes), reference.hasServices
        else { return }
        let word =
            directory == context.files.realPath(of: context.workingDirectory)
            ? ReferenceConfiguration.fileName : path
        throw .badRequest(
            "\(path) has services, and there is no \(DaemonLocation.configName) beside it",
            hint: "pm import \(word.shellWord) makes that file from them; to start without them, write {} into it")
    }

    /// A connection to the daemon of a location, which is started where none runs.
    func connected(_ location: DaemonLocation, _ locator: DaemonLocator) throws(APIError) -> DaemonClient {
        do throws(APIError) {
            return try locator.connect(to: location)
        } catch {
            guard error.exitCode == .notRunning else { throw error }
        }
        var launcher = try launcher(location)
        launcher.inspection = .none
        do throws(APIError) {
            _ = try launcher.launch(until: .serving)
            session.note("started the daemon for \(location.configFile)")
        } catch {
            // Another command has started it meanwhile.
            guard error.exitCode == .conflict else { throw error }
        }
        return try locator.connect(to: location)
    }

    /// Refuses a configuration that another user could have written, unless this user allows it.
    static func requireTrust(_ location: DaemonLocation) throws(APIError) {
        do {
            try location.requireTrust()
        } catch {
            throw APIError(error)
        }
    }

    private func launcher(_ location: DaemonLocation) throws(APIError) -> DaemonLauncher {
        let installation: Installation
        do {
            installation = try Installation(environment: session.environment)
        } catch {
            throw APIError(error, doing: "find the programs of pm", hint: "set PM_LIBEXEC to their directory")
        }
        var launcher = DaemonLauncher(
            location: location, installation: installation, environment: session.environment)
        launcher.inspection = command.inspection
        launcher.profile = session.profile(command.profile.profile)
        launcher.isVerbose = session.isVerbose
        launcher.isForeground = command.foreground
        if session.isVerbose {
            session.note("\(installation.holder) \(launcher.arguments.joined(separator: " "))")
        }
        return launcher
    }

    /// A second `pm start pm` finds a running daemon.
    private func tellRunning(_ location: DaemonLocation, _ client: DaemonClient) throws(APIError) {
        let answer = try client.ask(Version())
        if let profile = session.profile(command.profile.profile), profile != answer.profile {
            let used = answer.profile.map { "with the profile \($0)" } ?? "without a profile"
            throw .conflict(
                "pm is already running for \(location.configFile), \(used)",
                hint: "pm stop, then pm start pm --profile \(profile.shellWord)")
        }
        switch session.format {
        case .table:
            let text = "pm is already running for \(location.configFile), pid \(answer.pid)"
            session.output.line(DisplayWidth.printable(text))
        case .json: session.output.line(answer.json.text)
        }
    }

    /// Time that `--wait` gives the services with autostart; then they go on without it.
    private static let autostartTimeout = Duration.seconds(5)

    /// The services that autostart could not start so far; nil: the daemon did not say.
    private func unstarted(_ location: DaemonLocation, _ locator: DaemonLocator) -> [UnitStatus]? {
        // The daemon has started; `pm status` says the same, or why it cannot.
        guard let client = try? locator.connect(to: location) else { return nil }
        let limit = command.wait ? Self.autostartTimeout : .zero
        return try? client.unstarted(within: limit)  // as said
    }

    private func tell(_ location: DaemonLocation, _ pid: Int32, _ unstarted: [UnitStatus]?) {
        switch session.format {
        case .table:
            let made = location.hasConfigFile ? "" : " (new)"
            let profile = session.profile(command.profile.profile).map { ", profile \($0)" } ?? ""
            let text = "pm started for \(location.configFile)\(made), \(location.scope.rawValue) daemon\(profile)"
            session.output.line(DisplayWidth.printable(text))
            for row in unstarted ?? [] { note(row) }
        case .json:
            var answer = Version.Answer(
                pid: pid, config: location.configFile, scope: location.scope.rawValue, socket: location.socketPath)
            answer.profile = session.profile(command.profile.profile)
            var members = answer.json.object ?? [:]
            if let unstarted { members["unstarted"] = .array(unstarted.map(\.json)) }
            session.output.line(JSONValue.object(members).text)
        }
    }

    private func note(_ row: UnitStatus) {
        var sentences = row.problems
        if row.waiting == nil {
            let end = row.lastExit.map { "it ended (\($0.reason.phrase))" } ?? "it is \(row.state)"
            let next = row.nextTry.map { "pm tries again in \($0.shortForm)" } ?? "pm does not try again by itself"
            sentences.append("\(end), and \(next)")
        }
        for sentence in sentences { session.note(DisplayWidth.printable("\(row.name): \(sentence)")) }
    }
}

/// A signal descriptor that can be optional and passed on.
final class SignalWatch {
    private let descriptor: SignalDescriptor

    init(_ descriptor: consuming SignalDescriptor) { self.descriptor = descriptor }

    /// The number to poll.
    var raw: Int32 { descriptor.raw }

    /// The next signal; nil when none is left. A read that fails is no signal.
    func next() -> SignalDescriptor.Arrival? {
        // A signalfd of ours that is open and non-blocking has no way to fail but "nothing there".
        try? descriptor.next()
    }
}
