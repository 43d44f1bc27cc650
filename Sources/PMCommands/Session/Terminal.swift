import ArgumentParser
import Glibc

/// Properties of the terminal that a program writes to.
struct Terminal: Equatable, Sendable {
    /// Columns that a table may take; nil: as many as it needs, because a file or a program reads it.
    var columns: Int?
    /// Rows of the screen.
    var rows = 24
    /// True when standard output is a terminal.
    var isInteractive = false
    /// True when a person can answer a question: standard input and output are a terminal.
    var canAsk = false
    /// True when standard output may be coloured.
    var hasColour = false
    /// True when standard error may be coloured.
    var hasErrorColour = false

    /// Nothing known: a file or a program reads.
    init() {}

    /// Looks at our own descriptors. `COLUMNS` goes before the terminal's width; `NO_COLOR` (no-color.org) and
    /// `TERM=dumb` take colour away.
    init(environment: [String: String]) {
        isInteractive = isatty(STDOUT_FILENO) == 1
        canAsk = isInteractive && isatty(STDIN_FILENO) == 1
        var size = winsize()
        if isInteractive && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
            columns = Int(size.ws_col)
            rows = max(1, Int(size.ws_row))
        } else if isInteractive {
            columns = 80
        }
        if let text = environment["COLUMNS"], let count = Int(text), count > 0 { columns = count }
        let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
        hasColour = isInteractive && !isPlain
        hasErrorColour = isatty(STDERR_FILENO) == 1 && !isPlain
    }
}

/// `--color`.
enum ColourChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` forbids it.
    case auto
    /// Also into a file or a program, `watch --color` for example.
    case always
    /// Nowhere.
    case never
}

extension Terminal {
    /// Takes what the command line says about colours.
    mutating func use(_ choice: ColourChoice) {
        switch choice {
        case .auto: break
        case .always: hasColour = true
        case .never: hasColour = false
        }
    }
}
