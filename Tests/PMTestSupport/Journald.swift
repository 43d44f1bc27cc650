import Glibc
public import JSON
import PMSystem

/// A journald of a test's own, with a `/run` of its own; only root can have one.
public final class Journald: Sendable {
    private let program: Program
    private let pid: String

    /// Whether this user and this machine can have one.
    public static let isPossible =
        geteuid() == 0 && access("/lib/systemd/systemd-journald", X_OK) == 0 && access("/usr/bin/journalctl", X_OK) == 0

    /// Starts it.
    ///
    /// - Throws: `TestFailure` when it does not come up.
    public init() throws {
        program = try Program(
            [TestPaths.root + "/Tests/SystemTests/journald"], directory: "/",
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"])
        guard program.waitForOutput("ready ", seconds: 30), program.waitForOutput("\n") else {
            throw TestFailure("journald does not start: \(program.wait())")
        }
        pid = String(program.processID)
    }

    /// Runs a test with one, and ends it afterwards.
    public static func with(_ body: (Journald) async throws -> Void) async throws {
        let journald = try Journald()
        defer { journald.end() }
        try await body(journald)
    }

    /// What stands before a program's words so that it runs where this journald is, in a directory.
    public func entry(in directory: String) -> [String] {
        ["nsenter", "--mount", "--target", pid, "env", "-C", directory]
    }

    /// Tells it to `kill`, `stop`, `start` or `pause` its journald, and waits until that is done.
    public func tell(_ word: String) throws {
        try program.write(word + "\n")
        guard program.waitForOutput("done \(word)\n") else { throw TestFailure("journald does not \(word)") }
    }

    /// The entries that journalctl(1) finds with these words, after journald has written down all that it was given.
    public func entries(_ words: String...) throws -> [JSONValue] {
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
        let command = ["journalctl", "--quiet", "--no-pager", "--output=json"] + words
        _ = try Program(entry(in: "/") + ["journalctl", "--sync"], directory: "/", environment: environment).wait()
        let outcome = try Program(entry(in: "/") + command, directory: "/", environment: environment).wait()
        guard outcome.code == 0 else { throw TestFailure("journalctl: \(outcome)") }
        return try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    private func end() {
        // It ends with its standard input.
        _ = program.wait()
    }
}
