import Glibc
import PMModel
import PMSystem

/// Shows what does not fit on the screen by a pager: `PM_PAGER`, `PAGER`, or less, as journalctl(1) does.
///
/// What fits is written to the terminal, without a pager.
final class Pager: OutputSink {
    private let command: String
    private let environment: [String]
    private let terminal: Terminal
    private let output: any OutputSink
    private var state = State.gathering([])
    private var rows = 0
    /// Our end of the pager's input, while it is open.
    private var pipe: SharedFD?

    private enum State {
        /// It may still fit.
        case gathering([UInt8])
        case paging(pid_t)
        /// There is no pager, or its user has left it.
        case ended(isShown: Bool)
    }

    /// The pager of a session; nil when nobody could use one, or none is wanted.
    init?(_ session: CommandContext) {
        guard session.terminal.isInteractive, session.terminal.columns != nil else { return nil }
        let variables = session.environment
        // With the rights of another user, a pager that can start programs is none.
        let isSudo = variables["SUDO_UID"] != nil
        let wanted = isSudo ? nil : variables["PM_PAGER"] ?? variables["PAGER"]
        guard let command = wanted ?? Self.less(variables["PATH"]), !command.isEmpty, command != "cat" else {
            return nil
        }
        self.command = command
        terminal = session.terminal
        output = session.output
        var own = variables
        // Quit at the end of a short text, keep colours, cut long lines, leave the text on the screen, end with Ctrl-C.
        own["LESS"] = variables["LESS"] ?? "FRSXMK"
        own["LESSCHARSET"] = variables["LESSCHARSET"] ?? "utf-8"
        if isSudo { own["LESSSECURE"] = "1" }
        environment = own.map { "\($0.key)=\($0.value)" }
    }

    private static func less(_ path: String?) -> String? {
        let folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.contains { access("\($0)/less", X_OK) == 0 } ? "less" : nil
    }

    func write(_ bytes: [UInt8]) {
        switch state {
        case .gathering(let held):
            state = .gathering(held + bytes)
            count(bytes)
            // The prompt of the shell needs a row too.
            if rows > terminal.rows - 2 { start(held + bytes) }
        case .paging(let pid): pass(bytes, to: pid)
        case .ended(isShown: true): output.write(bytes)
        case .ended(isShown: false): break
        }
    }

    /// Shows what is held, and waits until the user has left the pager.
    func finish() {
        switch state {
        case .gathering(let held): output.write(held)
        case .paging(let pid): end(pid)
        case .ended: break
        }
        if case .gathering = state { state = .ended(isShown: true) }
    }

    /// True when the user has left the pager: nothing more is shown.
    var isLeft: Bool { if case .ended(isShown: false) = state { true } else { false } }

    /// The rows that bytes take at least.
    private func count(_ bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            rows += max(1, (line.count + (terminal.columns ?? 80) - 1) / (terminal.columns ?? 80))
        }
    }

    private func start(_ held: [UInt8]) {
        do throws(SystemError) {
            let pipe = try Pipe.make()
            try setBlocking(pipe.writing.raw)
            try setBlocking(pipe.reading.raw)
            var child = ChildProcess(path: "/bin/sh", arguments: ["-c", command], environment: environment)
            child.descriptors = [pipe.reading.raw, STDOUT_FILENO, STDERR_FILENO]
            let pid = try child.start()
            self.pipe = pipe.writing
            state = .paging(pid)
            // Ctrl-C is for the pager; we end with it.
            signal(SIGINT, SIG_IGN)
            signal(SIGPIPE, SIG_IGN)
            pass(held, to: pid)
        } catch {
            // Without a pager everything is shown at once.
            state = .ended(isShown: true)
            output.write(held)
        }
    }

    private func pass(_ bytes: [UInt8], to pid: pid_t) {
        guard let raw = pipe?.raw else { return }
        do throws(SystemError) {
            try Files.write(bytes, to: raw, named: "the pager")
        } catch {
            // Its user has left it.
            end(pid)
        }
    }

    /// Closes the pager's input, and waits until its user has left it.
    private func end(_ pid: pid_t) {
        pipe = nil
        state = .ended(isShown: false)
        Self.wait(pid)
    }

    private static func wait(_ pid: pid_t) {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }
}
