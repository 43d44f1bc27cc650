import PMTestSupport

/// A shell on a screen of tmux.
final class TerminalScreen {
    private let project: TestProject
    private let socket: String

    /// Starts a shell; `$PM` is pm.
    init(_ project: TestProject, columns: Int, rows: Int, shell: [String] = ["sh"]) throws {
        self.project = project
        socket = "\(project.directory)/tmux"
        let size = ["-x", "\(columns)", "-y", "\(rows)"]
        let variables = ["PM=\(TestPaths.pm)", "PS1=$ ", "ENV="].flatMap { ["-e", $0] }
        try tmux(["-f", "/dev/null", "new-session", "-d"] + size + variables + shell)
    }

    /// The text on the screen.
    var text: String { (try? tmux("capture-pane", "-p")) ?? "" }
    /// The title that a program has given it.
    var title: String { property("pane_title") }
    /// True while a program has the alternate screen.
    var isAlternate: Bool { property("alternate_on") == "1" }
    /// The program in the foreground.
    var command: String { property("pane_current_command") }

    /// Types a line, or single keys.
    func type(_ text: String, endsLine: Bool = true) throws {
        try tmux("send-keys", "-l", text)
        if endsLine { try tmux("send-keys", "Enter") }
    }

    /// Ends the shell and the server.
    func close() {
        // A server that has ended is closed.
        _ = try? tmux("kill-server")
    }

    private func property(_ name: String) -> String {
        // A server that has ended has no properties.
        ((try? tmux("display-message", "-p", "#{\(name)}")) ?? "").filter { $0 != "\n" }
    }

    @discardableResult
    private func tmux(_ words: String...) throws -> String { try tmux(words) }

    @discardableResult
    private func tmux(_ words: [String]) throws -> String {
        // The shell of an ordinary user of the system may be nologin(8), and tmux starts programs by it.
        let outcome = try project.run(
            ["tmux", "-S", socket] + words,
            adding: ["TERM": "xterm-256color", "LANG": "C.UTF-8", "SHELL": "/bin/sh"])
        guard outcome.code == 0 else { throw TestFailure("tmux \(words.joined(separator: " ")): \(outcome)") }
        return outcome.output
    }
}
