import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMConfig

/// `pm doctor [--prune]`.
struct DoctorCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the machine, the files and the daemon, and say what to do.",
        discussion: """
            Each line is a check: ok, warning, error or skipped, what was found, and below it the next step. The checks are Node, cgroups, \
            journal, the limit of open files, lingering, the configuration, permissions, sockets, the daemon and its version, services \
            that fail or run with an older configuration, and folders with logs of projects that are gone. The exit code is 1 if there is an \
            error, else 0. pm doctor changes nothing; with --prune it shows and removes the folders of projects that are gone: those \
            in the state folder of this user whose configuration file does not exist any more and whose daemon has ended.

            EXAMPLES
              pm doctor
              pm doctor --prune
              pm doctor -o json
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Remove the logs and events of projects whose configuration file is gone.")
    var prune = false

    /// Files are looked at, which a socket does not name.
    func validate() throws {
        if global.pmSock != nil { throw ValidationError("pm doctor checks files: give --config FILE.") }
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let checkup = try Checkup(session)
        var findings = checkup.findings()
        let folders = try StaleFolders(session)
        findings.append(folders.finding(isPruning: prune))
        if session.format == .table { for finding in findings { session.output.line(finding.text(session.style)) } }
        let pruned = prune ? folders.prune(session) : []
        findings += pruned.compactMap(\.failure)
        switch session.format {
        case .table: for failure in pruned.compactMap(\.failure) { session.output.line(failure.text(session.style)) }
        case .json:
            let removed = pruned.filter { $0.failure == nil }.map { JSONValue.string($0.path) }
            let answer: JSONValue = ["checks": .array(findings.map(\.json)), "pruned": .array(removed)]
            session.output.line(answer.text)
        }
        return findings.contains { $0.outcome == .error } ? .failure : .success
    }
}
