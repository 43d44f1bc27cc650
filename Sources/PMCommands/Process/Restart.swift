import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMModel

/// `pm restart NAME...`.
struct RestartCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop services, wait until all of their processes have ended, and start them again.",
        discussion: """
            `pm restart web db` restarts two services, and `pm restart 'web*'` those whose names begin with web.

            EXAMPLES
              pm restart web
              pm restart 'web*'
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Flag(name: .shortAndLong, help: "Wait until the service is ready.")
    var wait = false

    @OptionGroup var inspector: InspectorOptions

    @Argument(
        help: "The services; `all`, or a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String]

    /// `pm` itself cannot be restarted by a call to it.
    func validate() throws {
        if names.contains("pm") { throw ValidationError("To restart pm: pm stop, then pm start pm.") }
        if names.count > 1, inspector.inspection.mode != .none {
            throw ValidationError("An inspector is for one service: name one.")
        }
    }

    /// The call that restarts a service.
    func call(_ name: String) -> Restart {
        var call = Restart(name: name)
        call.waits = wait
        call.settles = true
        call.inspection = inspector.inspection
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        let services = ServiceNames(client: client)
        let names = try services.expanded(names)
        guard names == self.names, let name = names.first, names.count == 1 else {
            return try restartAll(names, services, session)
        }
        let call = call(name)
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

    /// Restarts several services at once. The first refusal is thrown when all others are answered.
    private func restartAll(_ names: [String], _ services: ServiceNames, _ session: CommandContext) throws(APIError)
        -> ExitCode
    {
        var results: [JSONValue] = []
        let refusals = try services.answers(to: names.map(call)) { call, answer in
            results.append(answer.json)
            if session.format == .table { session.output.line(StartCommand.sentence(answer, fallback: call.name)) }
        }
        ServiceNames.show(results, of: self.names, session)
        try ServiceNames.report(refusals, session)
        return .success
    }
}
