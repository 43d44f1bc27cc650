import JSON
import PMAPI

/// The result of one check of `pm doctor`.
struct Finding: Equatable {
    /// How a check ended.
    enum Outcome: String {
        /// All is well.
        case ok
        /// Something works less well than it could, or will fail later.
        case warning
        /// Something does not work.
        case error
        /// The check does not apply here.
        case skipped
    }

    /// Name of the check, one word.
    let check: String
    /// How it ended.
    let outcome: Outcome
    /// What was found.
    let message: String
    /// The next step; nil when there is nothing to do.
    let nextStep: String?

    private init(_ check: String, _ outcome: Outcome, _ message: String, _ nextStep: String?) {
        (self.check, self.outcome, self.message, self.nextStep) = (check, outcome, message, nextStep)
    }

    static func ok(_ check: String, _ message: String) -> Finding { Finding(check, .ok, message, nil) }

    static func skipped(_ check: String, _ message: String, next: String? = nil) -> Finding {
        Finding(check, .skipped, message, next)
    }

    static func warning(_ check: String, _ message: String, next: String) -> Finding {
        Finding(check, .warning, message, next)
    }

    static func error(_ check: String, _ message: String, next: String) -> Finding {
        Finding(check, .error, message, next)
    }

    /// What went wrong while the check was made.
    static func failed(_ check: String, _ error: APIError) -> Finding {
        Finding(check, .error, error.message, error.hint ?? "pm doctor --verbose")
    }

    /// `{check, outcome, message, next?}`.
    var json: JSONValue {
        var members: JSONObject = [
            "check": .string(check), "outcome": .string(outcome.rawValue), "message": .string(message),
        ]
        members["next"] = nextStep.map(JSONValue.string)
        return .object(members)
    }

    /// The lines for people; every check takes one line, and its next step another.
    func text(_ style: Style) -> String {
        let look: Style.Look =
            switch outcome {
            case .ok: .green
            case .warning: .yellow
            case .error: .red
            case .skipped: .dim
            }
        let word = style(look, outcome.rawValue) + Self.blanks(8 - outcome.rawValue.utf8.count)
        let name = check + Self.blanks(14 - check.utf8.count)
        let next = nextStep.map { "\n  hint: " + DisplayWidth.printable($0) } ?? ""
        return "\(word) \(name) \(DisplayWidth.printable(message))\(next)"
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
