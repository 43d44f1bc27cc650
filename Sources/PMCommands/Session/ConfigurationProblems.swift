import PMAPI
import PMClient
import PMConfig

extension CommandContext {
    /// Time for the daemon to say what it found in its file.
    private static let problemsTimeout = Duration.seconds(2)

    /// Shows what the daemon found in its configuration, on standard error: each sentence begins with the file.
    func tellConfigurationProblems() {
        var quiet = self
        // The command has already said where it is connected to.
        quiet.isVerbose = false
        // The command has done its work: a daemon that is gone by now, or another one, has nothing to say.
        guard let row = try? quiet.connect().ask(Status(name: "pm"), within: Self.problemsTimeout).first,
            let file = row.folder
        else { return }
        for problem in row.problems where problem.hasPrefix(file + ":") { note(problem) }
    }
}

extension ConfigProblem {
    /// The description and the next step.
    var withHint: String { description + (hint.map { " (\($0))" } ?? "") }
}
