import ArgumentParser
import Glibc
import PMAPI
import PMClient
import PMSystem

/// `pm stop [NAME] [--now]`.
struct StopCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop a service; without a name (or with `pm`) all services and then the daemon.",
        discussion: """
            Each service gets the signals of its stop sequence, and SIGKILL if it does not end. --now sends SIGKILL at \
            once. On a terminal, Ctrl-C does the same while pm waits; press Ctrl-C again to leave without waiting.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The service.", completion: ServiceArgument.completion, transform: ServiceArgument.read)
    var name: String?

    @Flag(help: "End the processes by SIGKILL at once, also those that are being stopped.")
    var now = false

    /// The call that this command line means.
    var call: Stop {
        var call = Stop(name: name)
        call.isNow = now
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        guard let text = try stop(client, session) else { return .failure }
        let answer = try Stop.Answer(json: parsedAnswer(text))
        if call.name == nil { try waitForEnd(client, session) }
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table: tell(answer, session)
        }
        return answer.survivors.isEmpty ? .success : .serviceFailed
    }

    /// Waits for the answer. The first ^C kills the services; at a second one there is no answer.
    private func stop(_ client: DaemonClient, _ session: CommandContext) throws(APIError) -> [UInt8]? {
        guard session.terminal.isInteractive, !now else { return try client.askForText(call, within: nil) }
        let signals: SignalWatch
        do throws(SystemError) {
            signals = SignalWatch(try SignalDescriptor([SIGINT]))
        } catch {
            throw APIError(error, doing: "watch for ^C")
        }
        let ticket = try reporting { () throws(ClientError) in try client.send(call) }
        var hurry = call
        hurry.isNow = true
        var hasHurried = false
        while true {
            let answer = try reporting { () throws(ClientError) in
                try client.text(of: ticket, interrupt: signals.raw)
            }
            if let answer { return answer }
            while signals.next() != nil {
                if hasHurried { return nil }
                hasHurried = true
                session.note("killing all remaining processes; press Ctrl-C again to leave without waiting")
                _ = try reporting { () throws(ClientError) in try client.send(hurry) }
            }
        }
    }

    /// The daemon has answered and is on its way out: what comes next may need the place free.
    private func waitForEnd(_ client: DaemonClient, _ session: CommandContext) throws(APIError) {
        let hasEnded = try reporting { () throws(ClientError) in try client.waitForEnd(within: .seconds(30)) }
        guard hasEnded else {
            throw .timeout("pm stopped all services, but the daemon does not end", hint: "pm status")
        }
        if let location = try session.locator().location() {
            _ = DaemonLock.waitUntilFree(location.lockPath, within: .seconds(10))
        }
    }

    private func tell(_ answer: Stop.Answer, _ session: CommandContext) {
        for name in answer.stopped { session.output.line("\(DisplayWidth.printable(name)) stopped") }
        for survivor in answer.survivors {
            session.note("cannot end process \(survivor.pid) of \(DisplayWidth.printable(survivor.name))")
        }
        for problem in answer.problems { session.note(DisplayWidth.printable(problem)) }
        if call.name == nil { session.output.line("pm stopped") }
        if let name = call.name, answer.stopped.isEmpty, answer.survivors.isEmpty {
            session.output.line("\(DisplayWidth.printable(name)) was not running")
        }
    }
}
