import ArgumentParser
import PMAPI
import PMConfig
import PMSystem

/// `pm edit`.
struct EditCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Edit the configuration, and check it before it replaces the file.",
        discussion: """
            pm starts $VISUAL, $EDITOR or vi with a copy of the file. When the editor ends, pm checks the copy as `pm check` does: \
            with errors it asks whether to edit again (e), to discard the copy (x) or to leave it beside the file (k). The file is \
            replaced in one step, and only if nobody else has changed it meanwhile. `pm apply` then brings running services up to \
            date. The exit code is 65 if the file stays as it was because of errors, 73 if somebody else has changed it.

            EXAMPLES
              pm edit
              pm edit --system
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Treat warnings as errors.")
    var strict = false

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let file = try ConfigurationText(session)
        let copy = try EditedCopy(of: file)
        let editor = Editor(session.environment)
        while true {
            try editor.run(copy.path)
            let text = try copy.read()
            guard text != file.bytes else {
                try copy.remove()
                session.note("\(file.path) is as it was")
                return .success
            }
            let problems = file.problems(of: text)
            for problem in problems { session.note(problem.withHint) }
            let isWrong = problems.contains { strict || $0.severity == .error }
            guard isWrong else { return try save(text, file, copy, session) }
            switch try answer(file, session) {
            case .again: continue
            case .discard:
                try copy.remove()
                session.note("\(file.path) is as it was")
            case .keep: session.note("\(file.path) is as it was; the copy is \(copy.path)")
            }
            return .data
        }
    }

    private func save(
        _ text: [UInt8], _ file: ConfigurationText, _ copy: EditedCopy, _ session: CommandContext
    ) throws(APIError) -> ExitCode {
        guard try file.replace(with: text) else {
            throw .conflict(
                "somebody else has changed \(file.path) meanwhile, and it stays so",
                hint: "your copy is \(copy.path): compare it with the file, then pm edit")
        }
        try copy.remove()
        switch session.format {
        case .json: session.output.line("true")
        case .table:
            session.output.line(DisplayWidth.printable("\(file.path) changed; pm apply --plan shows the effect"))
        }
        return .success
    }

    /// Answers to the question about a copy that has errors.
    private enum Choice: String {
        case again = "e"
        case discard = "x"
        case keep = "k"
    }

    /// Asks until one of the three is chosen; without anybody to ask the copy is kept, as it is work.
    private func answer(_ file: ConfigurationText, _ session: CommandContext) throws(APIError) -> Choice {
        while true {
            session.note("\(file.path) cannot be replaced. Edit again (e), discard the copy (x) or keep it (k)? [e]")
            guard let line = session.readLine() else { return .keep }
            let word = line.lowercased()
            if word.isEmpty { return .again }
            if let choice = Choice(rawValue: word) { return choice }
        }
    }
}
