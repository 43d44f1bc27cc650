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
            for (index, view) in ["", "-o short", "-o cat", "--raw", "-f"].enumerated() {
                let command = "log web --no-pager -n all \(view)"
                // The line of the command itself has quotes, and the screen may still show the end of the last one.
                let end = "echo do''ne \(index)"
                try screen.type("clear; $PM \(command); \(end)")
                if view.hasPrefix("-f") {
                    try until("\(command) shows all: \(screen.text)") { lines(screen.text).last == "[web] up" }
                    try screen.type("\u{3}", endsLine: false)
                    // What is typed before the shell reads again may be lost.
                    try until("\(command) is interrupted: \(screen.text)") { screen.command == "sh" }
                    try screen.type(end)
                }
                try until("\(command) has ended: \(screen.text)") {
                    lines(screen.text).contains("done \(index)")
                }
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
            try screen.type("clear; PM_PAGER='sed s/^/paged:/' $PM log web -n 3; echo do''ne 3")
            try until("three lines are shown: \(screen.text)") { lines(screen.text).contains("done 3") }
            #expect(screen.text.contains("[web] up") && !screen.text.contains("paged:"))
        }
    }
}
