import ArgumentParser
import PMAPI
import PMClient
import PMConfig
import PMModel

/// The daemon and the file of a command line. A shell that completes is no place for errors: what cannot be asked
/// adds no words.
final class CompletionWorld: CompletionNames {
    /// Time for each answer of the daemon: a person waits for it.
    private static let timeout = Duration.seconds(1)

    private let session: CommandContext
    private let grammar: CommandGrammar
    private lazy var client: DaemonClient? = connect()
    private lazy var file: ConfigFile? = readFile()
    private lazy var rows: [UnitStatus]? = ask(Status(name: nil))

    /// Asks the daemon that these options name.
    init(_ session: CommandContext, _ grammar: CommandGrammar, options: [String]) {
        var session = session
        // Options that exclude each other name no daemon; the command says so when it is run.
        if let options = try? GlobalOptions.parse(options) { session.target = options.target }
        session.errors = NoSink()
        self.session = session
        self.grammar = grammar
    }

    func words(_ source: CompletionSource) -> [CompletionOffer.Word] {
        switch source {
        case .services: services.map { .init(text: $0, help: "service") }
        case .daemon: [.init(text: "pm", help: "the daemon")]
        case .files: []
        case .commands: grammar.commands.map { .init(text: $0.name, help: $0.help) } + pluginCommands
        case .commandable: commandable.map { .init(text: $0, help: "commands of the service") }
        case .runtimes: runtimes.map { .init(text: $0) }
        case .plugins: (ask(Plugins(name: nil))?.map(\.name) ?? configuredPlugins).typed.map { .init(text: $0) }
        case .packages: packages.typed.map { .init(text: $0) }
        case .settings: ServiceKey.all.map { .init(text: $0) }
        case .profiles: (file?.extra("profiles")?.object?.keys ?? []).typed.map { .init(text: $0) }
        }
    }

    func commands(of service: String) -> [CommandMetadata] {
        ask(Metadata(isDeep: true, service: service))?.commands ?? []
    }

    /// Names of the daemon, which knows those of the file; without a daemon those of the file.
    private var services: [String] {
        let known = rows?.map(\.name).filter { $0 != "pm" } ?? file?.configuration.unitNames ?? []
        return known.typed
    }

    private var commandable: [String] {
        if let rows { return rows.filter { $0.isCommandable && $0.name != "pm" }.map(\.name).typed }
        guard let configuration = file?.configuration else { return [] }
        return configuration.unitNames.filter { configuration.unit($0)?.definition.isCommandable == true }.typed
    }

    private var pluginCommands: [CompletionOffer.Word] {
        // As said: without an answer there are no words.
        guard let client, let commands = try? PluginCommands.all(client, within: Self.timeout) else { return [] }
        return commands.map { .init(text: $0.name, help: ServiceHelp.description(of: $0) ?? "") }
    }

    private var runtimes: [String] {
        RuntimeKind.allCases.map(\.rawValue) + (ask(Plugins(name: nil))?.flatMap(\.runtimes) ?? []).typed
    }

    private var configuredPlugins: [String] { file?.configuration.plugins.map(\.source) ?? [] }

    private var packages: [String] {
        (file?.configuration.packages ?? []).compactMap { PackageSpec(argument: $0)?.name }
    }

    private func ask<Call: DaemonCall>(_ call: Call) -> Call.Answer? {
        // As said: without an answer there are no words.
        try? client?.ask(call, within: Self.timeout)
    }

    private func connect() -> DaemonClient? {
        // As said.
        guard var locator = try? session.locator() else { return nil }
        locator.answerTimeout = Self.timeout
        // Without a daemon the file has the words.
        return try? locator.connect()
    }

    private func readFile() -> ConfigFile? {
        // A file that is not there, or is wrong, has no words.
        guard session.target.socket == nil, let location = try? session.locator().location() else { return nil }
        let values = ConfigValues.forEditing(variables: session.environment, profile: session.profile(nil))
        // As said.
        return try? ConfigStore(path: location.configFile, values: values).load()
    }
}

extension [String] {
    /// Without names that a shell would read as something else: these are typed, not completed.
    fileprivate var typed: [String] { filter { $0 == $0.shellWord } }
}

/// Drops text: a shell that completes shows no notes.
private final class NoSink: OutputSink {
    func write(_ bytes: [UInt8]) {}
}
