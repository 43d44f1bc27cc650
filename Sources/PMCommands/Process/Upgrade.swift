import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMModel

/// `pm upgrade`.
struct UpgradeCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract:
            "Replace the daemon by the program on disk, after an update for example; services, connections and calls go on.",
        discussion: """
            EXAMPLES
              pm upgrade
              pm upgrade --init
            """)

    @Flag(name: .customLong("init"), help: "Replace pm-init, too; its process id stays the same.")
    var includesInit = false

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var request = Upgrade()
        request.includesInit = includesInit
        let before = try session.connect().ask(request)
        let after = try session.successor(of: before.pid)
        switch session.format {
        case .json: session.output.line(JSONValue.object(["before": before.json, "after": after.json]).text)
        case .table:
            let text = "pm \(before.version) (pid \(before.pid)) is replaced by pm \(after.version) (pid \(after.pid))"
            session.output.line(
                DisplayWidth.printable(text) + (includesInit ? "; pm-init now runs its program on disk" : ""))
        }
        return .success
    }
}

extension CommandContext {
    /// Time for the successor to answer: calls under way may take ten seconds of it.
    private static let replacementTimeout = Duration.seconds(30)

    /// The daemon that takes over from another one.
    ///
    /// - Throws: a 504 when that takes too long.
    func successor(of pid: Int32) throws(APIError) -> Version.Answer {
        let limit = clock.monotonic() + Self.replacementTimeout
        while clock.monotonic() < limit {
            let answer = try connect().ask(Version(), within: Self.replacementTimeout)
            // The next answer may still come from the old daemon.
            if answer.pid != pid { return answer }
        }
        throw .timeout(
            "pm (pid \(pid)) was not replaced within \(Self.replacementTimeout.shortForm)", hint: "pm log pm")
    }
}
