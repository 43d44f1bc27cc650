import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel

/// `pm call NAME COMMAND [args...]`, and `pm NAME COMMAND [args...]`.
struct CallCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Call a command of a running service and print its result.",
        discussion: """
            `pm call api greet Ada` calls the command greet of the service api. `pm api greet Ada` does the same, \
            unless the service has the name of a command of pm. Write options of pm before the service's name: all \
            words after it, dashes included, go to the service. pm prints a string as it is, and any other result as \
            JSON. When the service asks a question, pm reads the answer from standard input.

            EXAMPLES
              pm call api greet Ada
              pm call --timeout 5s api greet Ada
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(
        name: .customLong("json-args"),
        help: "Read arguments that are valid JSON as JSON: 5 is then a number, not a string.")
    var jsonArguments = false

    @Option(
        help: ArgumentHelp(
            "End a call that is not answered within this time, 5s for example.", valueName: "duration"),
        transform: CallTimeout.read)
    var timeout: Duration?

    @Argument(help: "The service.", completion: .from(.commandable), transform: ServiceArgument.read)
    var service: String

    @Argument(help: "The command to call.")
    var command: String?

    @Argument(help: "Arguments for the command.", completion: .file())
    var args: [String] = []

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        if service != "pm", command == nil || ServiceHelp.isAsked([command ?? ""]) { return try showCommands(session) }
        guard let command else { return Program.misused(loneWord, session) }
        guard service != "pm" else {
            let hint = PM.words.contains(command) ? "pm \(command)" : "pm --help"
            return Program.misused(
                .badRequest("commands of pm itself are called without its name", hint: hint), session)
        }
        let client: DaemonClient
        do throws(APIError) {
            client = try session.connect()
        } catch {
            throw advised(error)
        }
        var conversation = Conversation(session: session, client: client, timeout: timeout)
        let metadata: ServiceMetadata
        do throws(APIError) {
            metadata = try conversation.metadata(for: service, command)
        } catch {
            if error.statusCode == 404, let code = try runPluginCommand(session, client) { return code }
            throw advised(error)
        }
        if ServiceHelp.isAsked(args),
            let text = ServiceHelp(service: service, metadata: metadata).explanation(of: command)
        {
            session.output.write(text)
            return .success
        }
        // Our daemon answers with the service's own names; the reference's has them behind the service's name.
        let arguments = CallArguments(
            args, for: metadata.command("\(service).\(command)") ?? metadata.command(command), isJSON: jsonArguments,
            workingDirectory: try session.workingDirectory())
        if let complaint = arguments.complaint(service: service) {
            return Program.misused(.badRequest(complaint), session)
        }
        let call = Call(service: service, command: command, params: arguments.params)
        conversation.commands = metadata.commands.map(\.name).filter { !$0.hasPrefix("$") }
        show(try conversation.hold(call, arguments), session)
        return .success
    }

    /// The commands of a service that was named without one.
    private func showCommands(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client: DaemonClient
        do throws(APIError) {
            client = try session.connect()
        } catch {
            // Without a daemon nothing is known of a word but that pm has no such command.
            guard error.exitCode == .notRunning else { throw error }
            return Program.misused(loneWord, session)
        }
        let conversation = Conversation(session: session, client: client, timeout: nil)
        let metadata: ServiceMetadata
        do throws(APIError) {
            metadata = try conversation.metadata(for: service, "--help")
        } catch {
            guard error.statusCode == 404 else { throw advised(error) }
            // It may be a command of a plugin.
            return try runPluginCommand(session, client) ?? Program.misused(loneWord, session)
        }
        switch session.format {
        case .json: session.output.line(metadata.json.text)
        case .table:
            let help = ServiceHelp(service: service, metadata: metadata)
            session.output.write(help.overview(width: session.terminal.columns, session.style))
        }
        return .success
    }

    /// Whose word belongs to another manager most likely meant a command, and not a service that does not exist.
    private func advised(_ error: APIError) -> APIError {
        guard error.statusCode == 404 || error.statusCode == 503, let advice = OtherManagers.advice(for: service) else {
            return error
        }
        var error = error
        error.hint = advice
        return error
    }

    /// A lone word that is no command of pm was most likely meant to be one.
    private var loneWord: APIError {
        if let advice = OtherManagers.advice(for: service) {
            return .badRequest("'\(service)' is no command of pm", hint: advice)
        }
        let near = NearNames.of(service, among: OtherManagers.harmlessWords).first
        return .badRequest(
            "'\(service)' is no command of pm, and calling a service needs a command too",
            hint: near.map { "did you mean 'pm \($0)'?" } ?? "pm --help, or pm \(service.shellWord) COMMAND")
    }

    /// Prints a result.
    func show(_ result: JSONValue, _ session: CommandContext) {
        switch (session.format, result) {
        case (.json, _): session.output.line(result.text)
        case (.table, .null): break
        case (.table, .string(let text)): session.output.line(text)
        case (.table, _): session.output.write(result.serialized(indent: "  ") + [UInt8(ascii: "\n")])
        }
    }
}

/// A call that may ask back: each question is put to the person, and the call made again with the answer.
struct Conversation {
    let session: CommandContext
    let client: DaemonClient
    /// Time for each call; nil: no limit.
    let timeout: Duration?
    /// The commands that the service offers, for who asks for another one.
    var commands: [String] = []

    /// Metadata of the service. The error for a service without metadata, or one that does not exist, differs from that
    /// for one that is down.
    func metadata(for service: String, _ command: String) throws(APIError) -> ServiceMetadata {
        do throws(APIError) {
            return try client.ask(Metadata(isDeep: true, service: service))
        } catch {
            guard error.statusCode == 404 else { throw error }
            throw try absence(of: command, in: service)
        }
    }

    /// A service that asks for ever is stopped here.
    private static let mostQuestions = 100

    func hold(_ call: Call, _ arguments: CallArguments) throws(APIError) -> JSONValue {
        var (call, arguments) = (call, arguments)
        for _ in 0..<Self.mostQuestions {
            do throws(ClientError) {
                return try client.call(call.method, call.params, within: timeout)
            } catch {
                if case .timedOut = error, let timeout { throw late(call, timeout) }
                guard case .refused(let refusal) = error, let question = Interaction(refusal) else {
                    throw try explained(error.report, call)
                }
                arguments.add(try answer(to: question), to: question)
                call.params = arguments.params
            }
        }
        throw .serviceFailed("\(call.method) asked \(Self.mostQuestions) questions and still has no result")
    }

    private func late(_ call: Call, _ timeout: Duration) -> APIError {
        var error = APIError.timeout(
            "\(call.isOfPlugin ? "its plugin" : call.service) did not answer \(call.command) within \(timeout.shortForm), and pm cancelled the call",
            hint: call.isOfPlugin ? "pm plugins" : "pm status \(call.service.shellWord)")
        error.code = "PM_DEADLINE"
        return error
    }

    private func answer(to question: Interaction) throws(APIError) -> String {
        session.errors.write(DisplayWidth.printable(question.message) + " ")
        guard let line = session.readLine() else {
            session.errors.line("")
            throw APIError(500, "the question \"\(question.message)\" has no answer: standard input has ended")
        }
        return line
    }

    /// "Method not found" in the words of services and commands.
    private func explained(_ error: APIError, _ call: Call) throws(APIError) -> APIError {
        error.code == -32601 && !call.isOfPlugin ? try absence(of: call.command, in: call.service) : error
    }

    /// Nothing has this name; what is near may be a command of pm, but none that stops or removes something.
    private func noSuch(_ service: String) -> APIError {
        let near = NearNames.of(service, among: OtherManagers.harmlessWords).first
        return .notFound(
            "there is no service \(service), and no command of pm",
            hint: near.map { "did you mean 'pm \($0)'?" } ?? "pm ls, or pm --help")
    }

    /// Why a command cannot be called.
    private func absence(of command: String, in service: String) throws(APIError) -> APIError {
        let rows: [UnitStatus]
        do throws(APIError) {
            rows = try client.ask(Status(name: service))
        } catch {
            guard error.statusCode == 404 else { throw error }
            return noSuch(service)
        }
        guard let row = rows.first(where: { $0.name == service || $0.name.hasSuffix("/\(service)") }) else {
            return noSuch(service)
        }
        if row.pid == nil {
            return .conflict("\(service) is not running", hint: "pm start \(service.shellWord) --wait")
        }
        if !row.isReady { return .conflict("\(service) is not ready yet", hint: "pm status \(service.shellWord)") }
        return .notFound(
            "\(service) has no command \(command)",
            hint: commands.isEmpty
                ? "it has no commands; pm ls shows which services are commandable"
                : "it has \(commands.joined(separator: ", "))")
    }
}
