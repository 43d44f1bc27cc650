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

    /// Completion of a shell: the services of the daemon that this command line would use.
    static let completion = CompletionKind.custom { _, _, _ in
        let session = CommandContext.current(environment: Program.environment())
        // Nobody to ask, nothing to complete; a shell that completes is no place for errors.
        guard let answer = try? session.connect().ask(Status(name: nil)) else { return [] }
        // A name that would make the shell's line another one is typed, not completed.
        return answer.map(\.name).filter { $0 != "pm" && $0 == DisplayWidth.printable($0) }
    }
}
