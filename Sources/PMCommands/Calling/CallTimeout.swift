import ArgumentParser
import PMModel

/// `--timeout` of a call.
enum CallTimeout {
    /// Reads a duration above zero.
    static func read(_ text: String) throws -> Duration {
        guard let timeout = DurationText.parse(text), timeout > .zero else {
            throw ValidationError("--timeout needs \(DurationText.expectation), and more than zero")
        }
        return timeout
    }
}
