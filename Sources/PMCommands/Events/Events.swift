import ArgumentParser
import JSON
import PMAPI
import PMModel

/// `pm events [NAME...] [-f] [-n N] [--since T] [--until T] [--kind KIND]`.
struct EventsCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened to services and to pm.",
        discussion: """
            `pm events` prints the last 100 events, `pm events -f` then those that happen. \
            Events are starts, exits with their reason, changes of readiness and state, changes of the configuration, \
            installs, refused calls, and starts and ends of pm itself. pm keeps them on disk, so that they can be read while \
            pm does not run. With -o json each line is an object {seq, at, kind, service, message, details}.

            EXAMPLES
              pm events web --since 1h           what happened to web in the last hour
              pm events --kind exit -f           each exit as it happens
              pm events 'api*' -o json -n all    all events of the services api..., for a program
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Follow: keep printing new events.")
    var follow = false

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: ArgumentHelp("Print this many of the last events, or all.", valueName: "count|all"))
    var lines = LineCount.last(100)

    @Option(help: ArgumentHelp("Print only events from this time on (14:30), or of the last 10m.", valueName: "time"))
    var since: LogTime?

    @Option(help: ArgumentHelp("Print only events up to this time.", valueName: "time"))
    var until: LogTime?

    @Option(help: ArgumentHelp("Print only events of this kind; may be repeated.", valueName: "kind"))
    var kind: [KindOption] = []

    @Option(help: ArgumentHelp("Use colours: auto, always or never.", valueName: "when"))
    var color = ColourChoice.auto

    @Argument(
        help: "The services, or patterns with *; without a name all events.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String] = []

    /// What has no end is followed to no time.
    func validate() throws {
        if follow && until != nil { throw ValidationError("--follow and --until exclude each other.") }
    }

    /// The call that this command line means.
    var call: ReadEvents {
        var call = ReadEvents(names: names)
        switch lines {
        case .all: break
        case .last(let count): call.lines = since == nil ? count : nil
        case .chosen(let count): call.lines = count
        }
        (call.since, call.until) = (since?.value, until?.value)
        call.kinds = kind.map(\.value)
        call.follows = follow
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var session = session
        session.terminal.use(color)
        let printer = EventPrinter(session)
        try EventSource(session).forEach(call) { event throws(APIError) in
            try printer.show(event)
            return true
        }
        return .success
    }
}

/// `--kind`.
struct KindOption: ExpressibleByArgument, Equatable {
    let value: EventKind

    init?(argument: String) {
        guard let value = EventKind(rawValue: argument) else { return nil }
        self.value = value
    }

    /// The values for help and completion.
    static var allValueStrings: [String] { EventKind.allCases.map(\.rawValue) }
}

/// Writes events: a line of text each, or a line of JSON.
struct EventPrinter {
    private let session: CommandContext

    init(_ session: CommandContext) { self.session = session }

    /// Writes a piece of the stream.
    func show(_ value: JSONValue) throws(APIError) {
        switch session.format {
        case .json: session.output.line(value.text)
        case .table:
            switch try EventFrame(json: value) {
            case .missed(let count):
                session.note("\(count) events are left out here, because they were read too slowly")
            case .event(let event): session.output.line(text(event))
            }
        }
    }

    private static let longestKind = EventKind.allCases.map(\.rawValue.count).max() ?? 0

    private func text(_ event: EventRecord) -> String {
        let (kind, style) = (event.kind.rawValue, session.style)
        let gap = String(repeating: " ", count: max(0, Self.longestKind - kind.count) + 2)
        let message = DisplayWidth.printable(event.message)
        return "\(style(.dim, TimeText.local(event.at)))  \(style(event.look, kind))\(gap)\(message)"
    }
}

extension EventRecord {
    fileprivate var look: Style.Look {
        switch kind {
        case .start, .ready, .recovered: .green
        case .exit: death.map { !$0.wasRequested && $0.reason.isFailure } ?? false ? .red : .plain
        case .giveUp, .unhealthy, .plugin, .hook: .red
        case .refused: .yellow
        case .state, .config, .install, .daemon: .plain
        }
    }
}
