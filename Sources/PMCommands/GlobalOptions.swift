import ArgumentParser
import PMConfig

/// How results are written.
enum OutputFormat: Sendable {
    /// For people.
    case table
    /// For programs: JSON on one line.
    case json
}

/// What `-o` takes: the two forms of every result, and those that only `pm log` has.
enum OutputChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table
    case json
    /// The text alone.
    case cat
    /// As journalctl(1) shows lines.
    case short

    /// The form of results and of errors.
    var format: OutputFormat {
        switch self {
        case .json: .json
        case .table, .cat, .short: .table
        }
    }

    /// What every command takes.
    static let common: [OutputChoice] = [.table, .json]
}

/// Whose daemon is meant, when it is not the nearest.
enum ScopeFlag: String, EnumerableFlag, Sendable {
    /// The user's own.
    case user
    /// The system's.
    case system

    static func help(for value: ScopeFlag) -> ArgumentHelp? {
        switch value {
        case .user: "The user's own daemon, not the nearest one."
        case .system: "The system's daemon."
        }
    }
}

/// The options that every command has.
struct GlobalOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "How results are written: table or json; logs also as cat or short.")
    var output = OutputChoice.table

    @Option(name: .customLong("pm-sock"), help: ArgumentHelp("The daemon's socket.", valueName: "url|path"))
    var pmSock: String?

    @Option(help: ArgumentHelp("The configuration file of the daemon.", valueName: "file"))
    var config: String?

    @Flag(exclusivity: .exclusive)
    var scope: ScopeFlag?

    @Flag(name: .shortAndLong, help: "Tell on standard error what is done.")
    var verbose = false

    /// At most one way to name the daemon.
    func validate() throws {
        let ways = [pmSock != nil, config != nil, scope != nil].filter { $0 }
        if ways.count > 1 { throw ValidationError("Give one of --pm-sock, --config, --user and --system.") }
    }

    /// Which daemon is meant.
    var target: DaemonTarget {
        let selection: DaemonSelection =
            switch scope {
            case .user: .user
            case .system: .system
            case nil: config.map { .file($0) } ?? .nearest
            }
        return DaemonTarget(selection: selection, socket: pmSock)
    }
}
