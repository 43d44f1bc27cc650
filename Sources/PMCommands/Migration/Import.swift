import ArgumentParser
import JSON
import PMAPI
import PMModel

/// `pm import FILE...`.
struct ImportCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Add the services of another process manager's file to the configuration.",
        discussion: """
            FILE is an ecosystem file of PM2 (.js, .cjs, .mjs, .json, .yaml), a Procfile, a Compose file, a unit of \
            systemd (name several units, and the sockets of theirs, at once), a configuration of supervisord, an \
            .akala.json, or a folder with one of them. pm adds containers and mappings to the nearest .pm.config.json, or \
            makes one in the working directory, and prints what became of each field. It starts nothing.

            pm evaluates a JavaScript file in Node for at most 10 seconds, without a network and without your environment. \
            If a name is there already with other settings, pm changes nothing, unless you give --force.

            EXAMPLES
              pm import ecosystem.config.js --plan       show what would be added, and write nothing
              pm import ecosystem.config.js --env production
              pm import docker-compose.yml -o json
              pm import /etc/systemd/system/web.service /etc/systemd/system/web.socket
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Print what would be written, and write nothing.")
    var plan = false

    @Flag(help: "Replace services that are there already with other settings.")
    var force = false

    @Option(
        help: ArgumentHelp("With an ecosystem file: lay env_STAGE over env, as pm2 --env does.", valueName: "stage"))
    var env: String?

    @Option(help: ArgumentHelp("The format, where the name of FILE does not tell it.", valueName: "format"))
    var format: MigrationFormat?

    @Argument(help: "The file, or its folder; several units of systemd.", completion: .file())
    var files: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        guard session.target.socket == nil else {
            throw .badRequest("pm import changes a configuration's file, not a daemon", hint: "give --config FILE")
        }
        var sources = try MigrationSources(files, format: format, session)
        sources.stage = env
        let target = try MigrationTarget(sources, session)
        let migration = try sources.migration(target)
        let change = try target.change(migration, replaces: force)
        if !plan { try target.write(change) }
        ImportReport(change: change, target: target, isPlan: plan).tell(session)
        return .success
    }
}

/// Formats that pm reads.
enum MigrationFormat: String, CaseIterable, ExpressibleByArgument {
    case pm2
    case procfile
    case compose
    case systemd
    case supervisord
    case akala

    /// The format that a file's name tells; nil when it tells none.
    init?(of name: String) {
        let end = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
        switch end {
        case _ where name == ".akala.json": self = .akala
        case _ where name == "Procfile" || name.hasPrefix("Procfile."): self = .procfile
        case "js", "cjs", "mjs", "json": self = .pm2
        case "yml", "yaml": self = name.hasPrefix("ecosystem.") || name.hasPrefix("pm2") ? .pm2 : .compose
        case "service", "socket", "timer", "target", "path", "mount": self = .systemd
        case "conf", "ini": self = .supervisord
        default: return nil
        }
    }

    /// Names of files that pm looks for in a folder, in this order.
    static let usualNames = [
        ".akala.json", "ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.config.mjs", "ecosystem.config.json",
        "ecosystem.json", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "Procfile",
        "supervisord.conf",
    ]
}
