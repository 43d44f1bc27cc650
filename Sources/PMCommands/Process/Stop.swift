import ArgumentParser
import PMAPI
import PMClient

/// `pm stop [NAME]`.
struct StopCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a service; without a name (or with `pm`) all of them and then pm.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String?

    /// The call that this command line means.
    var call: Stop { Stop(name: name) }

    func execute(_ session: Session) throws(APIError) -> ExitCode {
        let client = try session.connect()
        let text = try client.askForText(call, within: nil)
        let answer = try Stop.Answer(json: parsedAnswer(text))
        if call.name == nil { try waitForEnd(client, session) }
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table: tell(answer, session)
        }
        return answer.survivors.isEmpty ? .success : .serviceFailed
    }

    /// The daemon has answered and is on its way out: what comes next may need the place free.
    private func waitForEnd(_ client: DaemonClient, _ session: Session) throws(APIError) {
        let hasEnded = try reporting { () throws(ClientError) in try client.waitForEnd(within: .seconds(30)) }
        guard hasEnded else { throw .timeout("pm stopped all services but does not end", hint: "pm status") }
        if let location = try session.locator().location() {
            _ = DaemonLock.waitUntilFree(location.lockPath, within: .seconds(10))
        }
    }

    private func tell(_ answer: Stop.Answer, _ session: Session) {
        for name in answer.stopped { session.output.line("\(DisplayWidth.printable(name)) stopped") }
        for survivor in answer.survivors {
            session.note("process \(survivor.pid) of \(DisplayWidth.printable(survivor.name)) could not be ended")
        }
        for problem in answer.problems { session.note(DisplayWidth.printable(problem)) }
        if call.name == nil { session.output.line("pm stopped") }
        if let name = call.name, answer.stopped.isEmpty, answer.survivors.isEmpty {
            session.output.line("\(DisplayWidth.printable(name)) was not running")
        }
    }
}
