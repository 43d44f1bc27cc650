import PMAPI
import PMClient

/// The wait for a service that waits for a debugger itself: its URL is shown before.
struct DebuggerWait {
    let session: CommandContext
    let client: DaemonClient

    /// Shows the URL, waits until the service is ready, and shows that.
    func wait(for started: Start.Answer, fallback: String) throws(APIError) {
        let name = started.name.isEmpty ? fallback : started.name
        if let url = started.inspector {
            session.note(DisplayWidth.printable("\(name) waits for a debugger at \(url)"))
        } else {
            session.note(DisplayWidth.printable("\(name) waits for a debugger; pm log \(name.shellWord) shows the URL"))
        }
        var ready = Start(name: name)
        ready.waits = true
        var answer = try client.ask(ready, within: nil)
        answer.wasRunning = started.wasRunning
        switch session.format {
        case .json: session.output.line(answer.json.text)
        case .table: session.output.line(StartCommand.sentence(answer, fallback: fallback))
        }
    }
}
