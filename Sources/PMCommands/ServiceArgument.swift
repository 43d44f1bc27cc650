import ArgumentParser
import PMAPI

/// Names of services on the command line.
enum ServiceArgument {
    /// Refuses an empty name: behind it is a variable of a shell that is not set, and `pm stop` without a name means all.
    static func read(_ text: String) throws -> String {
        guard !text.isEmpty else {
            throw ValidationError("the name of a service must not be empty (is a shell variable not set?)")
        }
        return text
    }
}
