import Glibc
import PMAPI
import PMClient
import PMModel

/// `pm start ecosystem.config.js [--only NAMES] [--env STAGE]`: imports the file, starts the daemon where none runs, and all
/// services of the file.
struct EcosystemStart {
    let command: StartCommand
    let session: CommandContext

    /// True for the name of an ecosystem file.
    static func isFile(_ word: String) -> Bool {
        let name = Paths.name(of: word)
        return name.hasPrefix("ecosystem.") && MigrationFormat(of: name) == .pm2
    }

    /// The connection and the names of the services; nil when the words mean no such file.
    func prepared() throws(APIError) -> (client: DaemonClient, names: [String])? {
        guard session.target.socket == nil, Self.isFile(command.program) else { return nil }
        let path = Paths.resolve(command.program, from: try session.workingDirectory())
        guard access(path, F_OK) == 0 else { return nil }
        let options = try options()
        var sources = try MigrationSources([path], format: .pm2, session)
        sources.stage = options.stage
        let target = try MigrationTarget(sources, session)
        var result = try sources.migration(target)
        if let only = options.only {
            let known = result.migration.services.map(\.name)
            if let unknown = only.first(where: { !known.contains($0) }) {
                throw .notFound(
                    "there is no app \(unknown) in \(path)", hint: "it has \(known.joined(separator: ", "))")
            }
            result.migration.services.removeAll { !only.contains($0.name) }
        }
        let change = try change(result, target)
        try target.write(change)
        tell(change, target)
        let locator = try session.locator()
        let start = DaemonStart(command: command, session: session)
        return (try start.connected(target.location, locator), result.migration.services.map(\.name))
    }

    private func change(_ result: MigrationResult, _ target: MigrationTarget) throws(APIError) -> MigrationChange {
        do throws(APIError) {
            return try target.change(result, replaces: false)
        } catch {
            guard error.exitCode == .conflict else { throw error }
            throw .conflict(
                error.message,
                hint: "pm start NAME starts one as it is there; pm import \(file) --force replaces it")
        }
    }

    /// The file as a word of a shell.
    private var file: String { command.program.shellWord }

    private func options() throws(APIError) -> (stage: String?, only: [String]?) {
        var (stage, only): (String?, [String]?) = (nil, nil)
        var words = command.args[...]
        while let word = words.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first, ["--env", "--only"].contains(name),
                let value = parts.count == 2 ? parts[1] : words.popFirst()
            else {
                throw .badRequest("an ecosystem file takes --only NAMES and --env STAGE, not \(word)")
            }
            if name == "--env" { stage = value } else { only = value.split(separator: ",").map(String.init) }
        }
        return (stage, only)
    }

    private func tell(_ change: MigrationChange, _ target: MigrationTarget) {
        let added = change.services.filter { $0.kind == .added }.map(\.name)
        guard !added.isEmpty else { return }
        session.note("added \(added.joined(separator: ", ")) to \(target.location.configFile)")
        let isOpen = change.result.migration.fields.contains {
            if case .noEquivalent = $0.outcome { true } else { false }
        }
        if isOpen { session.note("pm import \(file) --plan shows the fields that have no equivalent") }
    }
}
