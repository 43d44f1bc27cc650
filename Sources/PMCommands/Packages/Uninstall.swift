import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel

/// `pm uninstall PACKAGE`.
struct UninstallCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall", abstract: "Stop and unmap the services of a package, and remove the package.",
        discussion: """
            pm asks before it does so; --yes answers. Services of other packages, and packages that others need, stay. \
            The logs of the services are kept.

            EXAMPLES
              pm uninstall @akala/my-service --yes
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The package.", completion: .from(.packages), transform: PackageArgument.name)
    var package: String

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let folder = try PackageFolder(session)
        let configuration = try folder.configuration()
        let version = try PackageFolder.version(of: package, in: folder.path)
        let names = folder.names(of: package, in: configuration)
        let records = configuration.packages.filter { PackageSpec(argument: $0)?.name == package }
        guard version != nil || !names.isEmpty || !records.isEmpty else {
            throw .notFound(
                "\(package) is not installed in \(folder.path)", hint: "setup.packages has what pm installed")
        }
        try checkUsers(of: names, configuration)
        guard try isConfirmed(names, session) else { return .failure }
        let change = try version == nil ? nil : PackageChange(folder, session)
        if let change {
            try change.attempt { () throws(APIError) in
                try change.remove([package])
                try unmap(names, session)
                try change.commit()
            }
        } else {
            try unmap(names, session)
        }
        let left = try folder.configuration()
        var edits = names.filter { left.mapping($0) != nil }.map { ConfigEdit.removeMapping($0) }
        edits += names.filter { left.container($0) != nil }.map { ConfigEdit.removeContainer($0) }
        edits += records.map { ConfigEdit.removePackage($0) }
        if !edits.isEmpty { try folder.edit(edits) }
        try change?.close()
        PackageServices.tell([.init(package, from: version, to: nil)], session)
        tell(names, version, session)
        return .success
    }

    /// A service that stays must not lose the one that it needs.
    private func checkUsers(of names: [String], _ configuration: Configuration) throws(APIError) {
        let removed = Set(names)
        for unit in configuration.unitNames where !removed.contains(unit) {
            let needed = configuration.mapping(unit)?.dependencies.map(\.name) ?? []
            let defined = configuration.container(configuration.mapping(unit)?.container ?? unit)?.dependencies ?? []
            if let name = (needed + defined).first(where: { removed.contains($0) }) {
                throw .conflict("\(unit) depends on \(name) of \(package)", hint: "pm unmap \(unit.shellWord)")
            }
        }
    }

    private func isConfirmed(_ names: [String], _ session: CommandContext) throws(APIError) -> Bool {
        if yes { return true }
        let services = names.isEmpty ? "no service" : names.joined(separator: ", ")
        session.note("removes \(package), stops and unmaps \(services). Go on? [y/N]")
        guard let line = session.readLine() else {
            throw .badRequest(
                "nobody answers whether to remove \(package)", hint: "pm uninstall \(package.shellWord) --yes")
        }
        return ["y", "yes"].contains(line.lowercased())
    }

    /// Stops and forgets the services, where a daemon runs.
    private func unmap(_ names: [String], _ session: CommandContext) throws(APIError) {
        guard !names.isEmpty, let client = try PackageServices.client(session) else { return }
        let running = PackageServices.active(of: names, in: try client.ask(Status(name: nil)))
        for name in running {
            let answer = try client.ask(Stop(name: name), within: nil)
            if let survivor = answer.survivors.first {
                throw .serviceFailed("cannot end process \(survivor.pid) of \(survivor.name)")
            }
        }
        for name in names { _ = try client.ask(Unmap(name: name)) }
    }

    private func tell(_ names: [String], _ version: String?, _ session: CommandContext) {
        switch session.format {
        case .json:
            let removed: JSONValue = version.map { .string($0) } ?? .null
            let answer: JSONValue = ["name": .string(package), "version": removed, "services": names.json]
            session.output.line(answer.text)
        case .table:
            for name in names { session.output.line(DisplayWidth.printable("\(name) removed")) }
            session.output.line("\(package) uninstalled")
        }
    }
}

/// The daemon's part of a change of packages.
enum PackageServices {
    /// The daemon; nil when none runs.
    static func client(_ session: CommandContext) throws(APIError) -> DaemonClient? {
        do throws(APIError) {
            return try session.connect()
        } catch {
            guard error.statusCode == 503 || error.statusCode == 404 else { throw error }
            return nil
        }
    }

    /// Lets the daemon, where one runs, make events of what was done.
    static func tell(_ changes: [Installed.Change], _ session: CommandContext) {
        do throws(APIError) {
            guard let client = try client(session) else { return }
            var rest = changes[...]
            while !rest.isEmpty {
                _ = try client.ask(Installed(Array(rest.prefix(Installed.mostChanges))))
                rest = rest.dropFirst(Installed.mostChanges)
            }
        } catch {
            // The packages are there all the same.
            session.note("pm events will not show this: \(error.message)")
        }
    }

    /// Those of the services that are wanted or run, instances included, in the order of the status.
    static func active(of names: [String], in rows: Status.Answer) -> [String] {
        let wanted = Set(names)
        return rows.filter { row in
            (wanted.contains(row.name) || InstanceName(row.name).map { wanted.contains($0.unit) } ?? false)
                && (row.wanted == "up" || row.state != "down")
        }.map(\.name)
    }
}
