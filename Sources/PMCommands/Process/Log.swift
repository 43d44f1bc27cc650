import ArgumentParser
import PMAPI
import PMClient

/// `pm log NAME... [-f] [-n N] [--since T] [--timestamps]`.
struct LogCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show what services wrote.",
        discussion: """
            Each line has the service's name before it. --since takes a duration (10m), a time of the day (14:30), or a \
            date and time, in local time or with a zone (2026-11-23T14:30:00Z). With -o json each line is an object \
            {name, time, stream, text}.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Go on with what is written from now on.")
    var follow = false

    @Option(
        name: [.customShort("n"), .long], help: ArgumentHelp("Only the last lines, or all.", valueName: "count|all"))
    var lines = LineCount.last(100)

    @Option(help: ArgumentHelp("Only from a time on, or for a duration back.", valueName: "time"))
    var since: LogTime?

    @Flag(help: "Show when each line arrived.")
    var timestamps = false

    @Flag(help: "The text as the services wrote it, without names.")
    var raw = false

    @Argument(help: "The services.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var names: [String]

    /// The raw text has no place for times.
    func validate() throws {
        if raw && timestamps { throw ValidationError("--raw and --timestamps exclude each other.") }
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
        call.follows = follow
        call.wantsRecords = true
        return call
    }

    func execute(_ session: Session) throws(APIError) -> ExitCode {
        var printer = LogPrinter(session, timestamps: timestamps, isRaw: raw)
        let client: DaemonClient
        do throws(APIError) {
            client = try session.connect()
        } catch {
            guard error.exitCode == .notRunning, let stored = try StoredLog(call, session) else { throw error }
            session.note("pm is not running; this is what it has stored")
            try stored.show(in: &printer)
            return .success
        }
        return try show(client, in: &printer)
    }

    private func show(_ client: DaemonClient, in printer: inout LogPrinter) throws(APIError) -> ExitCode {
        let log = try reporting { () throws(ClientError) in try FollowedLog(call, client) }
        let reader = OutputReader()
        while true {
            let patience = printer.patience
            let turn = try reporting { () throws(ClientError) in
                try log.next(within: patience, interrupt: reader.pipe)
            }
            switch turn {
            case .data(let frame): try printer.show(frame)
            case .idle: printer.showHeld()
            case .interrupted: if reader.isGone { return .success }
            case .end:
                printer.finish()
                return .success
            }
        }
    }
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
