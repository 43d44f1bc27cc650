import ArgumentParser
import JSON
import PMAPI
import PMModel

/// `pm history NAME`.
struct HistoryCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the starts and ends of a service.",
        discussion: """
            Each row is one start: when, how and after what time it ended, and what pm did then. The newest one is the last. \
            Rows whose end is - run, or ended while pm was not there to see it. The rows come from the events that pm keeps, \
            so they also show what happened before pm was started the last time.

            EXAMPLES
              pm history web
              pm history web -n 5 -o json
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: ArgumentHelp("Show this many of the last starts, or all.", valueName: "count|all"))
    var lines = LineCount.last(20)

    @Option(help: ArgumentHelp("Use colours: auto, always or never.", valueName: "when"))
    var color = ColourChoice.auto

    @Argument(help: "The service.", completion: .from(.services), transform: ServiceArgument.read)
    var name: String

    /// The call that this command line means.
    var call: ReadEvents {
        var call = ReadEvents(names: [name])
        call.kinds = [.start, .exit, .giveUp, .state]
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var session = session
        session.terminal.use(color)
        var history = History()
        try EventSource(session).forEach(call) { value throws(APIError) in
            if case .event(let event) = try EventFrame(json: value) { history.add(event) }
            return true
        }
        guard !history.runs.isEmpty else {
            throw .notFound("no start and no end of \(name) is known", hint: "pm status shows all services")
        }
        let runs = lines.count.map { history.runs.suffix($0) } ?? history.runs[...]
        switch session.format {
        case .json: session.output.line(JSONValue.array(runs.map(\.json)).text)
        case .table: session.output.write(table(runs).rendered(width: session.terminal.columns, session.style))
        }
        return .success
    }

    private func table(_ runs: ArraySlice<History.Run>) -> Table {
        var table = Table([
            .init(title: "NAME", importance: 4, narrowest: 8, isOptional: true), .init(title: "START", isRight: true),
            .init(title: "STARTED", importance: 7, narrowest: 19), .init(title: "ENDED", importance: 6, narrowest: 19),
            .init(title: "AFTER", isRight: true, importance: 8), .init(title: "HOW", importance: 10, narrowest: 12),
            .init(title: "THEN", importance: 3, narrowest: 8, isOptional: true),
        ])
        for run in runs {
            let isBad = run.death.map { !$0.wasRequested && $0.reason.isFailure } ?? false
            table.add([
                .init(run.name), .init(String(run.incarnation)), .init(run.started.map(TimeText.local) ?? "-"),
                .init(run.death.map { TimeText.local($0.at) } ?? "-"),
                .init(run.death?.uptime.forPeople ?? "-"), .init(run.how, isBad ? .red : .plain), .init(run.then ?? ""),
            ])
        }
        return table
    }
}

/// The starts of a service, put together from its events.
struct History {
    /// One start and its end.
    struct Run {
        /// The unit.
        let name: String
        /// Which start it is, from 1.
        let incarnation: UInt64
        /// When its process was started; nil: it could not be, or the event is not kept any more.
        var started: WallTime?
        /// Its end; nil while it runs, or when pm did not see it.
        var death: DeathRecord?
        /// What followed its end.
        var then: String?

        /// Its end in words.
        var how: String {
            death.map { ($0.wasRequested ? "stopped: " : "") + $0.reason.phrase } ?? "-"
        }

        /// JSON of one row.
        var json: JSONValue {
            var members = JSONObject([
                ("name", .string(name)), ("incarnation", .number(JSONNumber(Int(clamping: incarnation)))),
                ("startedAt", started.map { .string($0.iso8601) } ?? .null), ("exit", death?.json ?? .null),
            ])
            if let then { members["then"] = .string(then) }
            return .object(members)
        }
    }

    /// The starts in the order of their events.
    private(set) var runs: [Run] = []

    /// Adds an event, newer than those before.
    mutating func add(_ event: EventRecord) {
        guard let name = event.service else { return }
        switch event.kind {
        case .start:
            // The first restart after a long run has no pause, and so no event of its own.
            if let index = lastRun(of: name), runs[index].death != nil, event.details["restarts"]?.int ?? 0 > 0 {
                runs[index].then = runs[index].then ?? "restart at once"
            }
            runs.append(Run(name: name, incarnation: event.incarnation, started: event.at))
        case .exit:
            guard let death = event.death else { return }
            if let index = lastRun(of: name), runs[index].incarnation == death.incarnation, runs[index].death == nil {
                runs[index].death = death
            } else {
                runs.append(Run(name: name, incarnation: death.incarnation, death: death))
            }
        case .state, .giveUp:
            guard let index = lastRun(of: name), runs[index].death != nil, let then = event.consequence else { return }
            runs[index].then = runs[index].then ?? then
        case .ready, .unhealthy, .recovered, .config, .install, .refused, .plugin, .hook, .daemon: break
        }
    }

    private func lastRun(of name: String) -> Int? { runs.lastIndex { $0.name == name } }
}

extension EventRecord {
    fileprivate var incarnation: UInt64 { UInt64(clamping: details["incarnation"]?.int ?? 0) }

    /// What follows the end of a process, in few words; nil: nothing to say.
    fileprivate var consequence: String? {
        let pause = details["pauseMs"]?.int.map { Duration.milliseconds($0).forPeople }
        switch details["decision"]?.string ?? details["state"]?.string {
        case "backing-off": return "restart in \(pause ?? "a moment")"
        case "cool", "cooling": return "next try in \(pause ?? "a while")"
        case "stayDown": return "no restart"
        case "giveUp": return "given up"
        default: return nil  // text from outside
        }
    }
}

extension LineCount {
    /// The number; nil: all.
    var count: Int? {
        switch self {
        case .all: nil
        case .last(let count), .chosen(let count): count
        }
    }
}
