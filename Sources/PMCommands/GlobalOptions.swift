import ArgumentParser
import PMConfig

/// The form of results.
enum OutputFormat: Sendable {
    /// Tables, for people.
    case table
    /// For programs: JSON on one line.
    case json
}

/// Values of `-o`: the two forms of every result, and those that only `pm log` has.
enum OutputChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table
    case json
    /// The text alone, without names.
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

    /// The forms that every command has.
    static let common: [OutputChoice] = [.table, .json]
}

/// The owner of the daemon, when it is not the nearest.
enum ScopeFlag: String, EnumerableFlag, Sendable {
    /// The daemon of the user.
    case user
    /// The daemon of the system.
    case system

    static func help(for value: ScopeFlag) -> ArgumentHelp? {
        switch value {
        case .user: "Use the daemon of the user, not that of the nearest project."
        case .system: "Use the daemon of the system."
        }
    }
}

/// The options that every command has.
struct GlobalOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Format of results: table or json; for pm log also cat or short.")
    var output = OutputChoice.table

    @Option(
        name: .customLong("pm-sock"), help: ArgumentHelp("Use the daemon at this socket.", valueName: "url|path"),
        completion: .file())
    var pmSock: String?

    @Option(
        help: ArgumentHelp("Use the daemon of this configuration file.", valueName: "file"),
        completion: .file())
    var config: String?

    @Flag(exclusivity: .exclusive)
    var scope: ScopeFlag?

    @Flag(name: .shortAndLong, help: "Print on standard error what pm does.")
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
