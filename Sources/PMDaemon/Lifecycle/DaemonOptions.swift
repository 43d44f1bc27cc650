public import PMConfig
import PMModel

/// Options of the daemon's command line; pm-init starts it, not people.
public struct DaemonOptions: Equatable, Sendable {
    /// The configuration file, absolute.
    public var config = ""
    /// Owner of the daemon.
    public var scope = DaemonScope.project
    /// The state directory, absolute.
    public var state = ""
    /// The path of the socket it serves.
    public var socket = ""
    /// Directory of pm's programs and JavaScript.
    public var libexec = ""
    /// The profile that is laid over the configuration; nil: none.
    var profile: String?
    /// Use of the inspector by Node services.
    var inspection = Inspection.none
    /// True when it logs more.
    public var isVerbose = false

    /// An invalid argument.
    public struct Problem: Error, CustomStringConvertible, Sendable {
        /// Description of the fault.
        public let description: String
    }

    /// Reads the arguments, without the program's name.
    ///
    /// - Throws: `Problem` for an unknown or incomplete one, or when one is missing.
    public init(_ arguments: [String]) throws(Problem) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--config": config = try Self.value(&rest, argument)
            case "--state": state = try Self.value(&rest, argument)
            case "--socket": socket = try Self.value(&rest, argument)
            case "--libexec": libexec = try Self.value(&rest, argument)
            case "--profile": profile = try Self.value(&rest, argument)
            case "--scope": scope = try Self.scope(try Self.value(&rest, argument))
            case "-v", "--verbose": isVerbose = true
            default:  // words, not an enum of ours
                guard let use = Inspection(option: argument) else {
                    throw Problem(description: "unknown argument \(argument)")
                }
                inspection = use
            }
        }
        for (name, value) in [("config", config), ("state", state), ("socket", socket), ("libexec", libexec)]
        where value.isEmpty {
            throw Problem(description: "--\(name) is missing; the daemon is started by `pm start pm`")
        }
    }

    private static func value(_ rest: inout ArraySlice<String>, _ name: String) throws(Problem) -> String {
        guard let value = rest.popFirst() else { throw Problem(description: "\(name) needs a value") }
        return value
    }

    private static func scope(_ text: String) throws(Problem) -> DaemonScope {
        guard let scope = DaemonScope(rawValue: text) else {
            throw Problem(description: "--scope is project, user or system, not \(text)")
        }
        return scope
    }

    /// The folder of the configuration file.
    var configDirectory: String {
        config.lastIndex(of: "/").map { $0 == config.startIndex ? "/" : String(config[..<$0]) } ?? "."
    }

    /// Values of the configuration: the environment of this process, and the profile.
    var values: ConfigValues { ConfigValues(variables: Environment.current(), profile: profile) }

    /// Record of this daemon in its state directory, which stays after its end.
    var record: DaemonRecord { DaemonRecord(config: config, socket: socket, cwd: configDirectory) }

    /// The socket as clients name it.
    var socketURL: String { Paths.socketURL(socket) }
}
