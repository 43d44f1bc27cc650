import ArgumentParser
import Glibc
import PMAPI
import PMConfig
import PMSystem

/// The program `pm`.
public enum Program {
    /// Parses a command line (without the program's name), runs the command, and tells the exit code.
    public static func run(_ words: [String], environment: [String: String]) -> Int32 {
        run(words, CommandContext.current(environment: environment))
    }

    /// The environment of this process, by name.
    public static func environment() -> [String: String] {
        // An environment may have a variable twice; getenv(3) takes the first.
        Dictionary(ProcessEnvironment.variables.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// The words of the command line, without the program's name.
    public static func arguments() -> [String] { ProcessEnvironment.arguments }

    static func run(_ words: [String], _ session: CommandContext) -> Int32 {
        if let request = CompletionRequest(words) {
            request.answer(session)
            return 0
        }
        let command: any ParsableCommand
        let normalizer = CommandLineNormalizer(commands: PM.words)
        do {
            command = try PM.parseAsRoot(normalizer.normalized(words))
        } catch {
            return report(parsing: error, of: words, session.speaking(words))
        }
        if let unknown = PM.unknownHelp(normalizer.normalized(words)) {
            let near = NearNames.hint(for: unknown, among: OtherManagers.harmlessWords)
            let hint = near ?? "pm --help lists the commands"
            return misused(.notFound("there is no command \(unknown)", hint: hint), session.speaking(words)).rawValue
        }
        guard let command = command as? any PMCommand else {
            return runOther(command, of: words, session)
        }
        for word in normalizer.passedOn(words) {
            if word == "--watch" {
                session.note("--watch goes to the program, as pm watches no files; pm start -- node --watch FILE does")
                continue
            }
            guard let near = CommandLineNormalizer.near(word) else { continue }
            session.note(DisplayWidth.printable("\(word) goes to the service; the option of pm is \(near)"))
        }
        return execute(command, session.with(command.global))
    }

    private static func execute(_ command: any PMCommand, _ session: CommandContext) -> Int32 {
        let outputs = type(of: command).outputs
        guard outputs.contains(command.global.output) else {
            let known = outputs.map(\.rawValue).joined(separator: " or ")
            return misused(
                .badRequest("-o \(command.global.output.rawValue) is only for pm log; this command has \(known)"),
                session
            )
            .rawValue
        }
        do throws(APIError) {
            let code = try command.execute(session)
            if command.readsConfiguration { session.tellConfigurationProblems() }
            return code.rawValue
        } catch {
            return report(ErrorReport(error, target: session.target), session)
        }
    }

    /// Tells a failure on standard error, in the form of the results.
    static func report(_ report: ErrorReport, _ session: CommandContext) -> Int32 {
        switch session.format {
        case .table:
            session.errors.write(
                report.text(Style(isOn: session.terminal.hasErrorColour), isVerbose: session.isVerbose))
        case .json: session.errors.write(report.json)
        }
        return report.exitCode.rawValue
    }

    /// Tells what is wrong with a command line that the parser could not judge.
    static func misused(_ error: APIError, _ session: CommandContext) -> ExitCode {
        _ = report(ErrorReport(error, exitCode: .usage, target: session.target), session)
        return .usage
    }

    /// Help, the version and completion scripts are results; anything else the parser says is wrong usage (64).
    private static func report(parsing error: any Error, of words: [String], _ session: CommandContext) -> Int32 {
        let code = PM.exitCode(for: error).rawValue
        let message = PM.fullMessage(for: error, columns: session.terminal.columns)
        if code == 0 {
            session.output.line(CompletionShell(asked: words)?.script ?? message)
            if let addition = additions(to: words, session) { session.output.line("\n" + addition) }
            return 0
        }
        if session.format == .json {
            return report(ErrorReport(usage(message), exitCode: .usage), session)
        }
        // It repeats words of the command line.
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map {
            DisplayWidth.printable(String($0))
        }
        let text = lines.joined(separator: "\n")
        session.errors.line(text.hasPrefix("Error: ") ? "pm: " + text.dropFirst(7) : text)
        return ExitCode.usage.rawValue
    }

    /// What the parser says, as an error: its sentence, and its usage as the next step.
    private static func usage(_ message: String) -> APIError {
        let lines = message.split(separator: "\n").map(String.init)
        let sentence = lines.first.map { $0.hasPrefix("Error: ") ? String($0.dropFirst(7)) : $0 } ?? message
        return .badRequest(sentence, hint: lines.dropFirst().joined(separator: "\n"))
    }

    /// A command of the parser itself, `help`: running it throws the text.
    private static func runOther(
        _ command: any ParsableCommand, of words: [String], _ session: CommandContext
    ) -> Int32 {
        var command = command
        do {
            try command.run()
            return 0
        } catch {
            return report(parsing: error, of: words, session)
        }
    }

    /// What the help of pm as a whole says of plugins; nil for other command lines.
    private static func additions(to words: [String], _ session: CommandContext) -> String? {
        let isHelp = words.isEmpty || words.count == 1 && ["--help", "-h", "help"].contains(words[0])
        return isHelp ? PluginCommands.help(session) : nil
    }
}
