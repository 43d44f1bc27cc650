import JSON
import PMAPI

/// The text of a failure: the operation, its object, the cause, the last output of the service, and the next step.
struct ErrorReport {
    let error: APIError
    let exitCode: ExitCode

    /// Reports an error; the exit code is that of its kind unless another one is given.
    init(_ error: APIError, exitCode: ExitCode? = nil, target: DaemonTarget = DaemonTarget()) {
        var error = error
        error.hint = error.hint.map(target.named)
        self.error = error
        self.exitCode = exitCode ?? error.exitCode
    }

    /// For people: `pm: …`, the output behind a bar, `hint: …`.
    func text(_ style: Style) -> String {
        var text = style(.red, "pm:") + " " + DisplayWidth.printableLines(error.message) + "\n"
        for line in Self.essential(error.output) { text += style(.dim, "  | ") + DisplayWidth.printable(line) + "\n" }
        if let hint = error.hint { text += style(.cyan, "hint:") + " " + DisplayWidth.printableLines(hint) + "\n" }
        return text
    }

    /// The last output of a program without the frames of Node itself and without empty lines, which say nothing about
    /// the fault of the program.
    static func essential(_ lines: [String]) -> [String] {
        lines.filter { line in
            let isFrame = line.contains("(node:internal/") || line.contains("at node:internal/")
            return !isFrame && line.contains { !$0.isWhitespace }
        }
    }

    /// For programs: one JSON object on one line, `{"error":{…},"exitCode":N}`.
    var json: String {
        var members = error.json.object ?? JSONObject()
        // A stack is of no use to who runs a command, and ours is made up.
        members["stack"] = nil
        let report: JSONValue = ["error": .object(members), "exitCode": .number(JSONNumber(exitCode.rawValue))]
        return report.text + "\n"
    }
}
