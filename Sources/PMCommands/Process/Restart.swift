import ArgumentParser
import PMAPI
import PMModel

/// `pm restart NAME`.
struct RestartCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop a service, wait until all of its processes have ended, and start it again.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Wait until the service is ready.")
    var wait = false

    @OptionGroup var inspector: InspectorOptions

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
        call.inspection = inspector.inspection
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        guard call.waits, call.inspection.mode == .inspectBreak else {
            let text = try client.askForText(call, within: nil)
            try StartCommand.tell(text, fallback: name, session)
            return .success
        }
        var first = call
        first.waits = false
        let answer = try client.ask(first, within: nil)
        try DebuggerWait(session: session, client: client).wait(for: answer, fallback: name)
        return .success
    }
}
