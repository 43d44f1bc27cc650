import ArgumentParser
import PMAPI
import PMClient
import PMLogs
import PMModel

/// `pm log [NAME...] [-f] [-n N] [--since T] [--until T] [--grep PATTERN] [--priority LEVEL] [--out | --err] [--timestamps]`.
struct LogCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show the output of services.",
        discussion: """
            `pm log api -f --since 10m` prints what the service api wrote in the last ten minutes, and then new lines \
            as they come. A name means all instances of the service; without a name, pm shows all services, sorted by \
            time. Each line begins with the service's name. [api]! marks standard error, [api]- a line of pm: an \
            incarnation starts, ends, or cannot be started. On a terminal only colours of a service's text pass; what \
            does not fit on the screen is shown by PM_PAGER, PAGER or less.

            --since and --until take a duration (10m, "2 hours ago", "1h 30min ago"), yesterday, today, a time of the \
            day (14:30), or a date and time, in local time or with a zone (2026-11-23T14:30:00Z). --grep takes a POSIX \
            extended regular expression. --priority takes a level (err) or its number. With -o json each line is an \
            object {name, time, stream, text}, and one of pm about an incarnation has an event; with -o cat there is \
            only the text of services, with -o short a line as journalctl prints it.

            EXAMPLES
              pm log                          the last 100 lines of all services
              pm log api -f                   follow the service api, all its instances
              pm log api --err --since 1h     what it wrote to standard error in the last hour
              pm log api -o json -n all       everything, for programs
              pm log 'web*' --grep 'HTTP 5[0-9][0-9]'
            """)

    static let outputs = OutputChoice.allCases

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Follow: keep printing new lines.")
    var follow = false

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: ArgumentHelp("Print this many of the last lines, or all.", valueName: "count|all"))
    var lines = LineCount.last(100)

    @Option(help: ArgumentHelp("Print only lines from this time on (14:30), or of the last 10m.", valueName: "time"))
    var since: LogTime?

    @Option(help: ArgumentHelp("Print only lines up to this time.", valueName: "time"))
    var until: LogTime?

    @Option(help: ArgumentHelp("Print only lines that match this regular expression.", valueName: "pattern"))
    var grep: String?

    @Option(
        help: ArgumentHelp("Print only lines of this level (emerg to debug), or more important.", valueName: "level"))
    var priority: PriorityOption?

    @Flag(help: "Show when each line arrived.")
    var timestamps = false

    @Flag(exclusivity: .exclusive)
    var only: StreamFlag?

    @Flag(
        name: .customLong("raw"),
        help: ArgumentHelp(
            "Print the text as the services wrote it, without names (same as -o cat); given twice also to a terminal."))
    var rawCount: Int

    @Flag(name: .customLong("no-pager"), help: "Print long output at once, without a pager.")
    var noPager = false

    @Option(help: ArgumentHelp("Use colours: auto, always or never.", valueName: "when"))
    var color = ColourChoice.auto

    @Argument(
        help: "The services, or patterns with *; without a name all.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String] = []

    /// True for the text alone.
    var raw: Bool { rawCount > 0 }
    /// The form of what is shown.
    private var form: OutputChoice { raw ? .cat : global.output }

    /// The raw text has no place for times.
    func validate() throws {
        if let grep {
            do throws(LogPatternProblem) {
                _ = try LogFilter(pattern: grep)
            } catch {
                throw ValidationError("--grep takes a POSIX extended regular expression, regex(7): \(error)")
            }
        }
        if (raw || global.output != .table) && timestamps {
            throw ValidationError("--timestamps excludes --raw and -o \(OutputChoice.cat), short and json.")
        }
        if raw && global.output != .table { throw ValidationError("--raw and -o exclude each other.") }
        if follow && until != nil { throw ValidationError("--follow and --until exclude each other.") }
    }

    /// The call that this command line means.
    var call: Log {
        var call = Log(names: names)
        switch lines {
        // A follower that names no number gets only some.
        case .all: call.lines = follow ? Int(Int32.max) : nil
        case .last(let count): call.lines = since == nil ? count : nil
        case .chosen(let count): call.lines = count
        }
        call.since = since?.value
        call.until = until?.value
        call.grep = grep
        call.priority = priority?.value
        call.streams = streams
        call.follows = follow
        call.wantsRecords = true
        return call
    }

    /// What services wrote has no lines of pm.
    private var streams: [LogRecord.Stream]? {
        switch only {
        case .out: [.stdout]
        case .err: [.stderr]
        case nil: form == .cat ? nil : LogRecord.Stream.allCases
        }
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var session = session
        session.terminal.use(color)
        let pager = follow || noPager ? nil : Pager(session)
        if let pager { session.output = pager }
        defer { pager?.finish() }
        let client: DaemonClient
        do throws(APIError) {
            client = try session.connect()
        } catch {
            guard error.exitCode == .notRunning, let stored = try StoredLog(call, session) else { throw error }
            session.note("pm is not running; these are the stored lines")
            var printer = LogPrinter(session, look(stored.names))
            try stored.show(in: &printer)
            return .success
        }
        var call = call
        call.names = try ServiceNames(client: client).expanded(names)
        var printer = LogPrinter(session, look(call.names))
        return try show(call, client, in: &printer) { pager?.isLeft ?? false }
    }

    private func look(_ names: [String]) -> LogPrinter.Look {
        LogPrinter.Look(
            output: form, timestamps: timestamps, isUnfiltered: rawCount > 1, isFollowed: follow, names: names)
    }

    private func show(
        _ call: Log, _ client: DaemonClient, in printer: inout LogPrinter, until isLeft: () -> Bool
    ) throws(APIError) -> ExitCode {
        let log = try reporting { () throws(ClientError) in try FollowedLog(call, client) }
        let reader = OutputReader()
        while true {
            let idleTimeout = printer.idleTimeout
            let turn: DaemonClient.StreamTurn
            do throws(ClientError) {
                turn = try log.next(within: idleTimeout, interrupt: reader.pipe)
            } catch {
                // What came before it is shown first.
                printer.finish()
                throw error.report
            }
            switch turn {
            case .data(let frame):
                try printer.show(frame)
                if isLeft() { return .success }
            case .idle: printer.showHeld()
            case .interrupted: if reader.isGone { return .success }
            case .end:
                printer.finish()
                return .success
            }
        }
    }
}

/// `--out` and `--err`.
enum StreamFlag: String, EnumerableFlag, Sendable {
    case out
    case err

    static func help(for value: StreamFlag) -> ArgumentHelp? {
        switch value {
        case .out: "Print only standard output."
        case .err: "Print only standard error."
        }
    }
}

/// `--priority`: a level's name or number.
struct PriorityOption: ExpressibleByArgument, Equatable {
    let value: LogPriority

    init?(argument: String) {
        guard let value = LogPriority(argument) else { return nil }
        self.value = value
    }

    /// The values for help and completion.
    static var allValueStrings: [String] { LogPriority.allCases.map(\.name) }
}

/// `-n`.
enum LineCount: ExpressibleByArgument, Equatable {
    /// Every stored line.
    case all
    /// The default: so many, unless `--since` says from when.
    case last(Int)
    /// So many, as asked.
    case chosen(Int)

    init?(argument: String) {
        if argument == "all" {
            self = .all
        } else if let count = Int(argument), count >= 0 {
            self = .chosen(count)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .all: "all"
        case .last(let count), .chosen(let count): String(count)
        }
    }
}
