import ArgumentParser
import PMAPI

/// `pm apply [NAME...]`.
struct ApplyCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Let running services follow the configuration, and touch no others.",
        discussion: """
            `pm apply --plan` shows which services would be touched, how and because of which keys: live (the setting holds at once, the \
            process runs on), reload (instances restart one after another), restart, start (new, with autostart) or stop (not in the \
            configuration any more). `pm apply` does it, in the order of dependencies; `pm apply web` does it for web alone. If one of \
            the restarts would fail, pm changes nothing. The exit code is 70 if a service does not run as the configuration says.

            With "apply": "auto" in the mapping pm the daemon does the same after each change of the file.

            EXAMPLES
              pm apply --plan
              pm apply web
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Flag(help: "Show what would be done, and do nothing.")
    var plan = false

    @Argument(
        help: "The services, or patterns with *; without a name all services.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String] = []

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        // All services together are also those that are not there yet.
        let named = names == ["all"] ? [] : try ServiceNames(client: client).expanded(names)
        let answer = try client.ask(Apply(names: named, isPlan: plan), within: nil)
        show(answer, session)
        let isWhole = answer.steps.allSatisfy { $0.error == nil }
        return isWhole ? .success : .serviceFailed
    }

    private func show(_ answer: Apply.Answer, _ session: CommandContext) {
        guard session.format == .table else { return session.output.line(answer.json.text) }
        guard !answer.steps.isEmpty else {
            return session.note("nothing to do: what runs is as the configuration says")
        }
        var table = Table([
            .init(title: "NAME", importance: 10, narrowest: 8), .init(title: "ACTION", importance: 9, narrowest: 7),
            .init(title: "BECAUSE OF", importance: 7, narrowest: 12),
            .init(title: plan ? "LAST START TOOK" : "RESULT", importance: 8, narrowest: 7),
        ])
        for step in answer.steps {
            let result = plan ? step.estimate?.forPeople ?? "-" : step.state
            table.add([
                .init(step.name), .init(step.action), .init(Self.reason(step)),
                .init(result, step.error == nil ? .plain : .red),
            ])
        }
        session.output.write(table.rendered(width: session.terminal.columns, session.style))
        for step in answer.steps { if let error = step.error { session.note("\(step.name): \(error)") } }
        guard plan else { return }
        let time = answer.estimate.map { ", in about \($0.forPeople)" } ?? ""
        session.note("nothing is done yet: pm apply does it\(time)")
    }

    private static func reason(_ step: Apply.Step) -> String {
        if !step.keys.isEmpty { return step.keys.joined(separator: ", ") }
        switch ApplyStepWord(rawValue: step.action) {
        case .start: return "it is new"
        case .stop: return "it is gone from the file"
        case nil: return "-"
        }
    }
}

/// The actions that no key asks for.
private enum ApplyStepWord: String {
    case start
    case stop
}
