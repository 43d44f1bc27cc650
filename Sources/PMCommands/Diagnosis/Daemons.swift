import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel

/// `pm daemons [--all]`.
struct DaemonsCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemons", abstract: "List the daemons of this user with their files and sockets.",
        discussion: """
            Each configuration file has a daemon of its own: pm daemons shows which of yours run, for root also that of the \
            system. STATE is running, or "not answering" if a process holds the lock of the daemon and nobody answers at its socket. \
            With --all it also lists daemons that have ended and left their logs and events. Daemons of other users are not \
            shown.

            EXAMPLES
              pm daemons
              pm daemons --all
              pm daemons -o json
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Show also daemons that have ended.")
    var all = false

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let known = try KnownDaemon.all(in: session.locator().context)
        let shown = all ? known : known.filter { $0.state != .ended }
        switch session.format {
        case .json: session.output.line(JSONValue.array(shown.map(\.json)).text)
        case .table:
            if !shown.isEmpty {
                session.output.write(Self.table(shown).rendered(width: session.terminal.columns, session.style))
            }
            tell(known, shown, session)
        }
        return .success
    }

    private func tell(_ known: [KnownDaemon], _ shown: [KnownDaemon], _ session: CommandContext) {
        if shown.isEmpty { session.note("no daemon of yours runs; pm start pm starts one for this folder") }
        let ended = known.count - shown.count
        if ended > 0 { session.note("\(ended) more have ended; pm daemons --all shows them") }
        if shown.contains(where: \.isConfigurationGone) {
            session.note("of some the file is gone; pm doctor --prune removes what they left")
        }
    }

    static func table(_ rows: [KnownDaemon]) -> Table {
        var table = Table([
            .init(title: "FILE", importance: 10, narrowest: 16), .init(title: "SCOPE", importance: 5, narrowest: 7),
            .init(title: "STATE", importance: 9, narrowest: 13), .init(title: "PID", isRight: true, importance: 7),
            .init(title: "SERVICES", isRight: true, importance: 6, narrowest: 8),
            .init(title: "SOCKET", importance: 2, narrowest: 12, isOptional: true),
        ])
        for row in rows {
            let file = row.record?.config ?? row.stateDirectory
            table.add([
                .init(row.isConfigurationGone ? "\(file) (gone)" : file), .init(row.scope.rawValue),
                .init(row.state.word, row.state.look), .init(row.answer.map { "\($0.pid)" } ?? "-"),
                .init(row.services.map { "\($0)" } ?? "-"), .init(row.record?.socket ?? "-"),
            ])
        }
        return table
    }
}

extension KnownDaemon {
    /// What it says of itself; nil when it does not answer.
    var answer: Version.Answer? {
        switch state {
        case .running(let answer, _): answer
        case .notAnswering, .ended: nil
        }
    }

    /// The number of its services; nil when it does not answer.
    var services: Int? {
        switch state {
        case .running(_, let services): services
        case .notAnswering, .ended: nil
        }
    }

    /// `{scope, state, stateDirectory}`, and what is known of `file`, `fileExists`, `socket`, `pid`, `version` and `services`.
    var json: JSONValue {
        var members: JSONObject = [
            "scope": .string(scope.rawValue), "state": .string(state.word), "stateDirectory": .string(stateDirectory),
        ]
        if let record {
            members["file"] = .string(record.config)
            members["fileExists"] = .bool(!isConfigurationGone)
            members["socket"] = .string(record.socket)
        }
        if let answer {
            members["pid"] = .number(JSONNumber(Int(answer.pid)))
            members["version"] = .string(answer.version)
        }
        members["services"] = services.map { .number(JSONNumber($0)) }
        return .object(members)
    }
}

extension KnownDaemon.State {
    /// The state in a word.
    var word: String {
        switch self {
        case .running: "running"
        case .notAnswering: "not answering"
        case .ended: "ended"
        }
    }

    fileprivate var look: Style.Look {
        switch self {
        case .running: .green
        case .notAnswering: .red
        case .ended: .dim
        }
    }
}
