import JSON
import PMTestSupport
import Testing

/// Views of `pm log` on a real terminal, which answers what is asked of it: tmux.
@Suite(.serialized) struct `pm log on a terminal` {
    private static let sizes = [(80, 24), (200, 50)]

    private func withTerminal(_ size: (Int, Int), _ body: (TestProject, TerminalScreen) throws -> Void) async throws {
        try await TestProject.with { project in
            let evil =
                #"printf 'fine\033[31mred\033[0m\n\033]0;OWNED\007\033[6n\033[?1049h\033[2Jafter\n'; seq 1 300; echo up"#
            try project.script("web.sh", "\(evil); exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: project.mapping("web"))
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let screen = try TerminalScreen(project, columns: size.0, rows: size.1)
            defer { screen.close() }
            try body(project, screen)
        }
    }

    @Test(arguments: sizes) func `no view lets more than colours through, unless --raw is given twice`(
        size: (Int, Int)
    ) async throws {
        try await withTerminal(size) { _, screen in
            for view in ["", "-o short", "-o cat", "--raw", "-f"] {
                let command = "log web --no-pager -n all \(view)"
                try screen.type("clear; $PM \(command); echo do''ne")
                if view.hasPrefix("-f") {
                    try until("\(command) shows all: \(screen.text)") { lines(screen.text).last == "[web] up" }
                    try screen.type("\u{3}", endsLine: false)
                    try screen.type("echo do''ne")
                }
                try until("\(command) has ended: \(screen.text)") { lines(screen.text).contains("done") }
                #expect(screen.text.contains("up"))
                #expect(screen.title != "OWNED" && !screen.isAlternate, "\(view)")
                // An answer of the terminal would stand behind the prompt.
                #expect(lines(screen.text).last.map { !$0.contains("R") } ?? true, "\(view): \(screen.text)")
            }
            try screen.type("clear; $PM log web --no-pager -n all --raw --raw; echo do''ne")
            try until("the title is set") { screen.title == "OWNED" }
        }
    }

    @Test(arguments: sizes) func `what does not fit is shown by the pager, what fits is not`(
        size: (Int, Int)
    ) async throws {
        try await withTerminal(size) { _, screen in
            try screen.type("clear; $PM log web -n all")
            try until("less shows the first lines: \(screen.text)") {
                screen.text.contains("[web]-- started, process ")
            }
            #expect(!screen.text.contains("[web] up"))
            try screen.type("q", endsLine: false)
            try until("less has ended") { screen.command == "sh" }
            try screen.type("clear; PM_PAGER='sed s/^/paged:/' $PM log web; echo do''ne")
            try until("the chosen pager shows it: \(screen.text)") { screen.text.contains("paged:[web] up") }
            try screen.type("clear; PM_PAGER='sed s/^/paged:/' $PM log web -n 3; echo do''ne")
            try until("three lines are shown: \(screen.text)") { lines(screen.text).contains("done") }
            #expect(screen.text.contains("[web] up") && !screen.text.contains("paged:"))
        }
    }
}

/// A shell on a screen of tmux.
final class TerminalScreen {
    private let project: TestProject
    private let socket: String

    init(_ project: TestProject, columns: Int, rows: Int) throws {
        self.project = project
        socket = "\(project.directory)/tmux"
        try tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "-e", "PM=\(TestPaths.pm)",
            "-e",
            "PS1=$ ", "-e", "ENV=", "sh")
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
    private func tmux(_ words: String...) throws -> String {
        // The shell of an ordinary user of the system may be nologin(8), and tmux starts programs by it.
        let outcome = try project.run(
            ["tmux", "-S", socket] + words,
            adding: ["TERM": "xterm-256color", "LANG": "C.UTF-8", "SHELL": "/bin/sh"])
        guard outcome.code == 0 else { throw TestFailure("tmux \(words.joined(separator: " ")): \(outcome)") }
        return outcome.output
    }
}
