import ArgumentParser
import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// `pm update [PACKAGE [VERSION]]`.
struct UpdateCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Update a package; without a name list what is outdated.",
        discussion: """
            Without VERSION pm takes the newest version that setup.packages allows, or the latest. Running services of the package \
            are restarted with it. When one of them does not become ready, pm puts the old version back and starts that.

            EXAMPLES
              pm update
              pm update @akala/my-service
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The package.", completion: .from(.packages), transform: PackageArgument.name)
    var package: String?

    @Argument(help: "A version, range or tag.")
    var version: String?

    @Option(
        help: ArgumentHelp("Run the install scripts of this package, also as root.", valueName: "package"),
        transform: PackageArgument.name)
    var allowScripts: [String] = []

    /// A range would be taken for an option of the package manager otherwise.
    func validate() throws {
        if let version, !PackageSpec.isRange(version) { throw ValidationError("\"\(version)\" is no version or range") }
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let folder = try PackageFolder(session)
        guard let package else { return try OutdatedPackages.list(folder, session) }
        guard let old = try PackageFolder.version(of: package, in: folder.path) else {
            throw .notFound("\(package) is not installed in \(folder.path)", hint: "pm install \(package.shellWord)")
        }
        let configuration = try folder.configuration()
        let record = configuration.packages.lazy.compactMap { PackageSpec(argument: $0) }.first { $0.name == package }
        let spec = PackageSpec(name: package, range: version ?? record?.range ?? "latest")
        let change = try PackageChange(folder, session)
        let plan = try change.attempt { () throws(APIError) in
            try change.install([spec], allowing: allowScripts)
            let plans = try InstallPlan.plans(for: [spec], change, configuration)
            try change.commit()
            return plans[0]
        }
        do throws(APIError) {
            if old != plan.version { try restart(folder.names(of: package, in: configuration), session) }
            try folder.edit(edits(plan, record))
        } catch {
            try change.revert()
            try putBack(folder.names(of: package, in: configuration), session)
            throw APIError(
                502, "\(package) stays at \(old), because \(plan.version) does not work: \(error.message)",
                hint: error.hint, output: error.output)
        }
        try change.close()
        PackageServices.tell([.init(package, from: old, to: plan.version)], session)
        tell(old, plan, session)
        return .success
    }

    /// A version that was asked for is recorded; what is recorded stays otherwise.
    private func edits(_ plan: InstallPlan, _ record: PackageSpec?) -> [ConfigEdit] {
        if version != nil { return plan.edits }
        let kept = plan.edits.filter { if case .setContainer = $0 { true } else { false } }
        return kept + [.addPackage((record ?? PackageSpec(name: plan.package.name)).text)]
    }

    private func restart(_ names: [String], _ session: CommandContext) throws(APIError) {
        guard let client = try PackageServices.client(session) else { return }
        for name in PackageServices.active(of: names, in: try client.ask(Status(name: nil))) {
            var call = Restart(name: name)
            call.waits = true
            _ = try client.ask(call, within: nil)
            session.note("\(name) restarted")
        }
    }

    /// Starts the old version. If it does not start, it is in its place all the same, so that is a note.
    private func putBack(_ names: [String], _ session: CommandContext) throws(APIError) {
        do throws(APIError) {
            try restart(names, session)
        } catch {
            session.note("the old version does not start: \(error.message)")
        }
    }

    private func tell(_ old: String, _ plan: InstallPlan, _ session: CommandContext) {
        let name = plan.package.name
        switch session.format {
        case .json:
            let answer: JSONValue = [
                "name": .string(name), "from": .string(old), "to": .string(plan.version),
                "services": plan.services.json,
            ]
            session.output.line(answer.text)
        case .table:
            let text = old == plan.version ? "\(name) stays at \(old)" : "\(name) from \(old) to \(plan.version)"
            session.output.line(DisplayWidth.printable(text))
        }
    }
}

/// The list of `pm update` without a name.
enum OutdatedPackages {
    /// Writes it.
    static func list(_ folder: PackageFolder, _ session: CommandContext) throws(APIError) -> ExitCode {
        let manager = try PackageChange.manager(of: folder.path)
        guard let words = manager.outdated else {
            throw .badRequest("\(manager) has no list of outdated packages for programs", hint: "run yarn outdated")
        }
        let rows = try ask(PackageProgram(manager, words, in: folder.path, session.environment), manager)
        switch session.format {
        case .json: session.output.line(JSONValue.object(rows).text)
        case .table:
            var table = Table([
                .init(title: "PACKAGE", importance: 9), .init(title: "CURRENT"), .init(title: "WANTED"),
                .init(title: "LATEST"),
            ])
            for row in rows {
                let cells = ["current", "wanted", "latest"].map { Table.Cell(row.value[$0]?.string ?? "missing") }
                table.add([Table.Cell(row.key)] + cells)
            }
            if rows.isEmpty { session.note("no package is outdated") }
            let text = table.rendered(width: session.terminal.columns, session.style)
            for line in rows.isEmpty ? [] : text.split(separator: "\n") { session.output.line(String(line)) }
        }
        return .success
    }

    /// The package managers end with 1 when something is outdated.
    private static func ask(_ program: PackageProgram, _ manager: PackageManager) throws(APIError) -> JSONObject {
        let output: SharedFD
        do throws(SystemError) {
            output = try MemoryFile.make([], named: "outdated")
        } catch {
            throw APIError(error, doing: "run \(manager)")
        }
        return try answer(program, manager, output)
    }

    private static func answer(_ program: PackageProgram, _ manager: PackageManager, _ output: SharedFD)
        throws(APIError) -> JSONObject
    {
        let code = try program.run(output: output.raw, lock: output.raw)
        do {
            let bytes = try MemoryFile.read(output)
            if bytes.isEmpty, code == 0 { return JSONObject() }
            let answer = try JSONValue(parsing: bytes)
            if code <= 1, answer["error"] == nil, let rows = answer.object { return rows }
        } catch {
            throw APIError(500, "cannot read what \(manager) outdated answers: \(error)")
        }
        throw APIError(500, "\(manager) outdated failed with exit code \(code)", hint: "its messages are above")
    }
}
