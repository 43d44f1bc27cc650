import JSON
import PMAPI
import PMModel

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

    /// For people: `pm: …`, the output behind a bar, `hint: …`; with the stack of a command that failed where more is wanted.
    func text(_ style: Style, isVerbose: Bool = false) -> String {
        var text = style(.red, "pm:") + " " + DisplayWidth.printableLines(error.message) + "\n"
        if isVerbose { for frame in frames { text += style(.dim, DisplayWidth.printable(frame)) + "\n" } }
        for line in error.output { text += style(.dim, "  | ") + DisplayWidth.printable(line) + "\n" }
        if let history = error.failure.flatMap(FailureHistory.sentence) { text += "\(history)\n" }
        if let hint = error.hint { text += style(.cyan, "hint:") + " " + DisplayWidth.printableLines(hint) + "\n" }
        return text
    }

    /// The frames of the service's own files in the stack of its error.
    private var frames: [String] {
        let lines = (error.details["stack"]?.string ?? "").split(separator: "\n").map(String.init)
        return lines.filter { $0.drop { $0 == " " }.hasPrefix("at ") && !OutputDigest.isNoise($0) }
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
