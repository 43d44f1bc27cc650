public import ArgumentParser
import JSON
import PMAPI
import PMConfig
import PMDiscovery
public import PMModel

extension PackageSpec: ExpressibleByArgument {}

/// `pm install PACKAGE[@RANGE]...`.
struct InstallCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Install packages and register their services.",
        discussion: """
            npm installs them, or yarn or pnpm where "packageManager" in package.json or a lock file says so: into \
            node_modules of the project, or with --user and --system into the state directory. An install that fails or \
            is interrupted changes nothing. The packages are noted under setup.packages; without a package pm installs \
            those of them that are missing.

            EXAMPLES
              pm install @akala/my-service@^2
              pm install --system @akala/my-service
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The packages, with a version or range as npm writes it: @akala/my-service@^2.")
    var packages: [PackageSpec] = []

    @Option(
        help: ArgumentHelp("Run the install scripts of this package, also as root.", valueName: "package"),
        transform: PackageArgument.name)
    var allowScripts: [String] = []

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let folder = try PackageFolder(session)
        let wanted = try packages.isEmpty ? missing(folder) : packages
        guard !wanted.isEmpty else {
            session.note("no package is missing")
            if session.format == .json { session.output.line("{\"packages\":[]}") }
            return .success
        }
        let change = try PackageChange(folder, session)
        var versions: [String: String] = [:]
        for package in wanted { versions[package.name] = try PackageFolder.version(of: package.name, in: folder.path) }
        let plans = try change.attempt { () throws(APIError) in
            try change.install(wanted, allowing: allowScripts)
            let plans = try InstallPlan.plans(for: wanted, change, try folder.configuration())
            try change.commit()
            return plans
        }
        do throws(APIError) {
            try folder.edit(plans.flatMap(\.edits))
        } catch {
            try change.revert()
            throw error
        }
        try change.close()
        PackageServices.tell(
            plans.map { .init($0.package.name, from: versions[$0.package.name], to: $0.version) }, session)
        tell(plans, session)
        return .success
    }

    private func missing(_ folder: PackageFolder) throws(APIError) -> [PackageSpec] {
        var missing: [PackageSpec] = []
        for text in try folder.configuration().packages {
            guard let package = PackageSpec(argument: text) else {
                throw .badRequest(
                    "setup.packages has \"\(text)\", which is no package",
                    hint: "write NAME or NAME@RANGE in \(folder.location.configFile)")
            }
            if try PackageFolder.version(of: package.name, in: folder.path) == nil { missing.append(package) }
        }
        return missing
    }

    private func tell(_ plans: [InstallPlan], _ session: CommandContext) {
        switch session.format {
        case .json:
            let rows = plans.map { plan -> JSONValue in
                ["name": .string(plan.package.name), "version": .string(plan.version), "services": plan.services.json]
            }
            session.output.line((["packages": .array(rows)] as JSONValue).text)
        case .table:
            for plan in plans {
                let services = plan.services.isEmpty ? "no services" : plan.services.joined(separator: ", ")
                session.output.line(
                    DisplayWidth.printable("\(plan.package.name) \(plan.version) installed: \(services)"))
            }
        }
    }
}

/// Names of packages on the command line.
enum PackageArgument {
    /// Refuses what is no name of a package.
    static func name(_ text: String) throws -> String {
        guard PackageSpec.isName(text) else { throw ValidationError("\"\(text)\" is no name of a package") }
        return text
    }
}

/// What an installed package adds to the configuration.
struct InstallPlan {
    /// The package as it was asked for.
    let package: PackageSpec
    /// Its version.
    let version: String
    /// The names of its services.
    let services: [String]
    /// The changes.
    let edits: [ConfigEdit]

    /// Plans for packages that are installed in the working folder of a change.
    ///
    /// - Throws: a 409 when a service has the name of one of another package, a 404 for a package that is not there.
    static func plans(
        for packages: [PackageSpec], _ change: PackageChange, _ configuration: Configuration
    ) throws(APIError) -> [InstallPlan] {
        var plans: [InstallPlan] = []
        var owners: [String: String] = [:]
        for package in packages {
            guard let version = try PackageFolder.version(of: package.name, in: change.work) else {
                throw .notFound("\(change.manager) installed no folder node_modules/\(package.name)")
            }
            let found = try change.folder.services(of: package.name, in: change.work).map { named($0, configuration) }
            for service in found {
                let registered = configuration.container(service.name)
                let other = registered.map { change.folder.package(of: $0) ?? "another program" }
                let owner = owners[service.name] ?? other
                if let owner, owner != package.name || service.name == "pm" {
                    throw .conflict(
                        "\(package.name) has a service \(service.name), and so has \(owner)",
                        hint: "pm unmap \(service.name.shellWord) removes the one that is registered")
                }
                owners[service.name] = package.name
            }
            let edits = found.map {
                ConfigEdit.setContainer($0.name, $0.definition.replacing(configuration.container($0.name)))
            }
            let old = configuration.packages.filter { PackageSpec(argument: $0)?.name == package.name }
            let record = old.filter { $0 != package.text }.map { ConfigEdit.removePackage($0) }
            plans.append(
                InstallPlan(
                    package: package, version: version, services: found.map(\.name),
                    edits: edits + record + [.addPackage(package.text)]))
        }
        return plans
    }

    /// A service that was renamed keeps its name.
    private static func named(_ service: DiscoveredContainer, _ configuration: Configuration) -> DiscoveredContainer {
        guard configuration.container(service.name) == nil,
            let registered = configuration.containers.first(where: { $0.value.path == service.definition.path })
        else { return service }
        var service = service
        service.name = registered.name
        return service
    }
}
