import JSON
import PMAPI
import PMClient
import PMModel

/// Commands that plugins add to pm: words of the command line that neither pm nor a service has.
struct PluginCommands {
    /// Time for the daemon to say which there are, for who only asks for help.
    private static let helpTimeout = Duration.milliseconds(500)

    /// The commands that a daemon has beside those of pm.
    ///
    /// - Throws: what the daemon answers, or that there is none.
    static func all(_ client: DaemonClient, within limit: Duration? = DaemonClient.answerTimeout) throws(APIError)
        -> [CommandMetadata]
    {
        try client.ask(Metadata(isDeep: false), within: limit).commands.filter { command in
            PluginWord.isValid(command.name) && !CommandNames.ofPM.contains(command.name)
        }
    }

    /// The part of `pm --help` about them; nil when there are none, or there is no daemon to ask.
    static func help(_ session: CommandContext) -> String? {
        // Help is shown without a daemon, too.
        guard let client = try? session.connect(), let commands = try? all(client, within: helpTimeout),
            !commands.isEmpty
        else { return nil }
        let width = commands.map(\.name.utf8.count).max() ?? 0
        let lines = commands.map { command in
            let name = command.name + String(repeating: " ", count: width - command.name.utf8.count)
            return "  \(name)  \(command.purpose ?? "its plugin does not run (pm plugins)")"
        }
        return (["PLUGIN SUBCOMMANDS:"] + lines).map(DisplayWidth.printable).joined(separator: "\n")
    }

    /// How a command is used, for `pm NAME --help`.
    static func usage(of command: CommandMetadata) -> String {
        let cli = command.config["cli"]
        var lines = ["USAGE: pm \(cli?["usage"]?.string ?? command.name)"]
        if let purpose = command.purpose { lines.insert(contentsOf: ["OVERVIEW: \(purpose)", ""], at: 0) }
        let options = cli?["options"]?.object ?? JSONObject()
        if !options.isEmpty { lines += ["", "OPTIONS:"] }
        for (name, option) in options {
            let aliases = (option["aliases"]?.array ?? []).compactMap(\.string)
            let spellings = (aliases + [name]).map { $0.count == 1 ? "-\($0)" : "--\($0)" }.joined(separator: ", ")
            let value = option["needsValue"]?.bool == true ? " <\(name)>" : ""
            lines.append("  \(spellings)\(value)  \(option["doc"]?.string ?? "")")
        }
        return lines.map(DisplayWidth.printable).joined(separator: "\n")
    }
}

extension CommandMetadata {
    /// What the command does, in a sentence.
    fileprivate var purpose: String? { config["doc"]?["description"]?.string }
}

extension CallCommand {
    /// Runs the command of a plugin that the first word names; nil when no plugin has one.
    func runPluginCommand(_ session: CommandContext, _ client: DaemonClient) throws(APIError) -> ExitCode? {
        // Who cannot say what plugins add, as the daemon of the reference, has none; the caller has an error of its own.
        let commands = (try? PluginCommands.all(client)) ?? []
        guard let metadata = commands.first(where: { $0.name == service }) else { return nil }
        let words = [command].compactMap { $0 } + args
        if words == ["--help"] || words == ["-h"] {
            session.output.line(PluginCommands.usage(of: metadata))
            return .success
        }
        let arguments = CallArguments(
            words, for: metadata, isJSON: jsonArguments, workingDirectory: try session.workingDirectory())
        if let complaint = arguments.complaint(service: nil) {
            return Program.misused(.badRequest(complaint), session)
        }
        let conversation = Conversation(session: session, client: client, timeout: timeout)
        show(try conversation.hold(.plugin(service, arguments.params), arguments), session)
        return .success
    }
}
