import ArgumentParser
import Glibc
import PMAPI
import PMClient
import PMSystem

/// `pm stop [NAME...] [--now]`.
struct StopCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop services; without a name (or with `pm`) all services and then the daemon.",
        discussion: """
            `pm stop web db` stops two services, `pm stop 'web*'` those whose names begin with web, and `pm stop all` \
            every service, but not the daemon. Each service gets the signals of its stop sequence, and SIGKILL if it does not end. --now sends SIGKILL at \
            once. On a terminal, Ctrl-C does the same while pm waits; press Ctrl-C again to leave without waiting.

            Without a name, pm asks on a terminal before it stops everything; --all and `pm stop pm` stop it without a \
            question, and so does a script.

            EXAMPLES
              pm stop web db
              pm stop all --now
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The services; `all`, or a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String] = []

    @Flag(help: "End the processes by SIGKILL at once, also those that are being stopped.")
    var now = false

    @Flag(help: "Stop all services and the daemon, without a question.")
    var all = false

    /// The daemon ends with all services: it cannot be one of several names.
    func validate() throws {
        if all, !names.isEmpty { throw ValidationError("--all stops everything: give no name with it.") }
        if names.count > 1, names.contains("pm") {
            throw ValidationError("`pm stop pm` stops all services and the daemon; name it alone.")
        }
    }

    /// The call that stops a service, or with nil everything.
    func call(_ name: String?) -> Stop {
        var call = Stop(name: name)
        call.isNow = now
        return call
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        let services = ServiceNames(client: client)
        let names = try services.expanded(names)
        guard names.count <= 1 else { return try stopAll(names, services, session) }
        if names.isEmpty, !all, session.terminal.canAsk, try !isConfirmed(client, session) {
            session.note("nothing was stopped")
            return .failure
        }
        let call = call(names.first)
        guard let text = try stop(call, client, session) else { return .failure }
        let answer = try Stop.Answer(json: parsedAnswer(text))
        if call.name == nil { try waitForEnd(client, session) }
        switch session.format {
        case .json: session.output.line(String(decoding: text, as: UTF8.self))
        case .table: tell(answer, of: call, session)
        }
        return answer.survivors.isEmpty ? .success : .serviceFailed
    }

    /// Asks before all services end; without a running one there is nothing to ask.
    private func isConfirmed(_ client: DaemonClient, _ session: CommandContext) throws(APIError) -> Bool {
        let running = try client.ask(Status(name: nil)).filter { $0.pid != nil && $0.name != "pm" }
        guard !running.isEmpty else { return true }
        let names = running.prefix(5).map { DisplayWidth.printable($0.name) }.joined(separator: ", ")
        let more = running.count > 5 ? " and \(running.count - 5) more" : ""
        session.errors.write("pm stops \(names)\(more), and the daemon. Go on? [y/N] ")
        let answer = session.readLine()?.lowercased() ?? ""
        return answer == "y" || answer == "yes"
    }

    /// Stops several services at once. The first refusal is thrown when all others are stopped.
    private func stopAll(_ names: [String], _ services: ServiceNames, _ session: CommandContext) throws(APIError)
        -> ExitCode
    {
        var whole = Stop.Answer(stopped: [])
        let refusals = try services.answers(to: names.map(call)) { call, answer in
            whole.stopped += answer.stopped
            whole.survivors += answer.survivors
            whole.problems += answer.problems
            if session.format == .table { tell(answer, of: call, session) }
        }
        if session.format == .json { session.output.line(whole.json.text) }
        try ServiceNames.report(refusals, session)
        return whole.survivors.isEmpty ? .success : .serviceFailed
    }

    /// Waits for the answer. The first ^C kills the services; at a second one there is no answer.
    private func stop(_ call: Stop, _ client: DaemonClient, _ session: CommandContext) throws(APIError) -> [UInt8]? {
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

    private func tell(_ answer: Stop.Answer, of call: Stop, _ session: CommandContext) {
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
