import ArgumentParser
import PMAPI

/// Ours: the parser has one of the same name.
typealias ExitCode = PMAPI.ExitCode

/// A command of `pm`: it is parsed, then given the world it runs in.
protocol PMCommand: ParsableCommand {
    /// The options that every command has.
    var global: GlobalOptions { get }
    /// The forms in which it writes its results.
    static var outputs: [OutputChoice] { get }
    /// True when the daemon reads its configuration for this: what is odd in the file is then shown.
    var readsConfiguration: Bool { get }
    /// Does it; tells the exit code, or throws what failed.
    func execute(_ session: CommandContext) throws(APIError) -> ExitCode
}

extension PMCommand {
    static var outputs: [OutputChoice] { OutputChoice.common }
    var readsConfiguration: Bool { false }
}

/// The tree of all commands.
struct PM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pm",
        abstract: "Keeps services running and lets them call each other.",
        usage: """
            pm <command> [<args>]
            pm [<options>] NAME COMMAND [<args>]
            """,
        discussion: """
            `pm api greet Ada` calls the command greet of the running service api and prints its result: a first word \
            that is no command of pm is the name of a service. Write options of pm before the service's name: all \
            words after it, dashes included, go to the service. `pm api` lists the commands of api, and `pm api greet \
            --help` explains one. If a service has the name of a command of pm, use `pm \
            call`.

            Exit codes: 0 done, 1 failed, 64 usage, 65 configuration or input wrong, 66 not found, 69 pm is not \
            running, 70 service failed, 73 conflict, 75 took too long, 77 not permitted.

            EXAMPLES
              pm start ./app.js
              pm status
              pm log -f
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Process",
                subcommands: [
                    StartCommand.self, StopCommand.self, RestartCommand.self, StatusCommand.self, LogCommand.self,
                    EventsCommand.self, HistoryCommand.self, ScaleCommand.self, ApplyCommand.self, IsActiveCommand.self,
                    WaitCommand.self, ProcessIDCommand.self, RunCommand.self,
                    DevCommand.self, UpgradeCommand.self,
                ]),
            CommandGroup(
                name: "Containers",
                subcommands: [
                    DiscoverCommand.self, MapCommand.self, UnmapCommand.self, RenameCommand.self, ListCommand.self,
                    CheckCommand.self,
                    ExplainCommand.self, EditCommand.self, GetCommand.self, SetCommand.self, EnableCommand.self,
                    DisableCommand.self, ImportCommand.self, ExportCommand.self, InitCommand.self,
                ]),
            CommandGroup(
                name: "Packages",
                subcommands: [
                    InstallCommand.self, UninstallCommand.self, UpdateCommand.self, LinkCommand.self,
                ]),
            CommandGroup(
                name: "Calling",
                subcommands: [
                    CallCommand.self, ConnectCommand.self, DoCommand.self, ReloadMetadataCommand.self,
                    TypesCommand.self,
                ]),
            CommandGroup(
                name: "About",
                subcommands: [
                    DaemonsCommand.self, DoctorCommand.self, PluginsCommand.self, VersionCommand.self, NameCommand.self,
                ]),
        ])

    /// The words behind `help` that are no command; nil: there are none. The parser shows the help of pm instead.
    static func unknownHelp(_ words: [String]) -> String? {
        let asked = words.dropFirst().filter { !$0.hasPrefix("-") }
        guard words.first == "help", !asked.isEmpty else { return nil }
        // No command has commands of its own.
        return asked.count == 1 && self.words.contains(asked[0]) ? nil : asked.joined(separator: " ")
    }

    /// The words that are commands, `help` included.
    static let words: Set<String> = {
        let groups = configuration.groupedSubcommands.flatMap(\.subcommands)
        return Set((configuration.ungroupedSubcommands + groups).compactMap { $0.configuration.commandName } + ["help"])
    }()
}
