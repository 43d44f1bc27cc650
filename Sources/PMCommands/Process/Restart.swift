import ArgumentParser
import PMAPI

/// `pm restart NAME`.
struct RestartCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop a service, wait until all of its processes have ended, and start it again.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Wait until the service is ready.")
    var wait = false

    @Flag(help: "Run Node with its inspector.")
    var inspect = false

    @Flag(name: .customLong("inspect-brk"), help: "As --inspect, but wait for a debugger before the first line runs.")
    var inspectBreak = false

    @Argument(help: "The service.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String

    /// `pm` itself cannot be restarted by a call to it.
    func validate() throws {
        if name == "pm" { throw ValidationError("To restart pm: pm stop, then pm start pm.") }
    }

    /// The call that this command line means.
    var call: Restart {
        var call = Restart(name: name)
        call.waits = wait
        call.inspection = inspectBreak ? .inspectBreak : inspect ? .inspect : .none
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        let text = try client.askForText(call, within: nil)
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table:
            let answer = try Restart.Answer(json: parsedAnswer(text))
            session.output.line(StartCommand.sentence(answer, fallback: name))
        }
        return .success
    }
}
