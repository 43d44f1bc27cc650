public import PMModel

/// A container that a package offers.
public struct DiscoveredContainer: Equatable, Sendable {
    /// The part of a package that names a container.
    public enum Source: String, Sendable {
        /// The field `commands`.
        case commands
        /// The field `bin`.
        case bin
        /// A file `commands.json` beside package.json.
        case commandsFile = "commands.json"
        /// The field `main`.
        case main
    }

    /// The name to register it under.
    public var name: String
    /// The program to run; its path is a `file://` URL.
    public var definition: ContainerDefinition
    /// The part of the package that names it.
    public var source: Source
}

/// The result of one package.
public struct PackageReport: Equatable, Sendable {
    /// The result of one package.
    public enum Outcome: Equatable, Sendable {
        /// The package offers these containers.
        case found([DiscoveredContainer])
        /// The package has nothing to run.
        case nothing
        /// The files of the package are wrong.
        case failed([DiscoveryProblem])
    }

    /// The package's folder.
    public var directory: String
    /// The result of the package.
    public var outcome: Outcome

    /// Containers of the package; none when it has none or failed.
    public var containers: [DiscoveredContainer] {
        if case .found(let containers) = outcome { containers } else { [] }
    }

    /// The faults of the package; empty unless it failed.
    public var problems: [DiscoveryProblem] {
        if case .failed(let problems) = outcome { problems } else { [] }
    }
}

/// The containers of a folder: those of its package and of its workspaces' packages.
public struct Discovery: Equatable, Sendable {
    /// The package itself first, then its workspaces' packages by their folders.
    public var packages: [PackageReport]
    /// Probable mistakes, with which the package is used all the same.
    public var warnings: [DiscoveryProblem]

    /// Every container, in the order of the packages.
    public var containers: [DiscoveredContainer] { packages.flatMap(\.containers) }
    /// The faults of packages that were left out.
    public var problems: [DiscoveryProblem] { packages.flatMap(\.problems) }

    /// Looks for containers in the package at `path` (a folder or its package.json), seen from `directory`.
    ///
    /// `name` replaces the package's own where exactly one container is found. Only reads files.
    /// - Throws: `DiscoveryError` when there is no package, or not one container in it and its workspaces.
    public static func discover(
        _ path: String, name: String? = nil, from directory: String
    ) throws(DiscoveryError) -> Discovery {
        let folder = try packageFolder(path, directory)
        let root = try PackageFile(in: folder)
        var discovery = Discovery(packages: [report(on: root)], warnings: [])
        if let workspaces = Workspaces(of: root) {
            let members = workspaces.find()
            discovery.warnings += members.problems
            for folder in members.folders { discovery.packages.append(report(inFolder: folder)) }
        }
        discovery.refuseDoubleNames()
        try discovery.rename(name, folder)
        guard discovery.containers.isEmpty else { return discovery }
        throw discovery.error(folder)
    }

    private static func packageFolder(_ path: String, _ directory: String) throws(DiscoveryError) -> String {
        let given = Paths.resolve(Paths.path(ofFileURL: path) ?? path, from: directory)
        // The file itself means its folder; a folder of that name is a folder.
        let isFile = Paths.name(of: given) == PackageFile.name && Disk.look(at: given) == .file
        let folder = isFile ? Paths.directory(of: given) : given
        switch Disk.look(at: folder) {
        case .directory: return folder
        case .file, .other:
            throw DiscoveryError(.missing, [DiscoveryProblem("is not a folder", file: folder, hint: Disk.mapHint)])
        case .nothing(let reason): throw DiscoveryError(.missing, [DiscoveryProblem(reason, file: folder)])
        }
    }

    private static func report(inFolder folder: String) -> PackageReport {
        do throws(DiscoveryError) {
            return report(on: try PackageFile(in: folder))
        } catch {
            return PackageReport(directory: folder, outcome: .failed(error.problems))
        }
    }

    private static func report(on package: PackageFile) -> PackageReport {
        var reader = PackageReader(package)
        let containers = reader.containers()
        let outcome: PackageReport.Outcome =
            if !reader.problems.isEmpty {
                .failed(reader.problems)
            } else {
                containers.isEmpty ? .nothing : .found(containers)
            }
        return PackageReport(directory: package.directory, outcome: outcome)
    }

    /// The first package keeps a name; of a later one that has it too nothing is taken.
    private mutating func refuseDoubleNames() {
        var owners: [String: String] = [:]
        for index in packages.indices {
            let names = packages[index].containers.map(\.name)
            let file = packages[index].directory + "/" + PackageFile.name
            let doubles = names.filter { owners[$0] != nil }.map { name in
                DiscoveryProblem("the name \"\(name)\" is already used by \(owners[name] ?? "")", file: file)
            }
            if !doubles.isEmpty { packages[index].outcome = .failed(doubles) }
            for container in packages[index].containers { owners[container.name] = packages[index].directory }
        }
    }

    private mutating func rename(_ name: String?, _ folder: String) throws(DiscoveryError) {
        guard let name else { return }
        do throws(UnitName.Problem) {
            _ = try UnitName(name)
        } catch {
            throw DiscoveryError(.invalid, [DiscoveryProblem("the name \(error)", file: folder)])
        }
        guard containers.count == 1 else {
            let message = "the name \"\(name)\" is not used, because the package has \(containers.count) services"
            if containers.count > 1 { warnings.append(DiscoveryProblem(message, file: folder)) }
            return
        }
        for index in packages.indices {
            guard case .found(var found) = packages[index].outcome else { continue }
            for place in found.indices { found[place].name = name }
            packages[index].outcome = .found(found)
        }
    }

    private func error(_ folder: String) -> DiscoveryError {
        if !problems.isEmpty { return DiscoveryError(.invalid, problems + warnings) }
        let message = #"the package has nothing to run: no "commands", "bin", commands.json, "main" or index.js"#
        let nothing = DiscoveryProblem(message, file: folder + "/" + PackageFile.name, hint: Disk.mapHint)
        return DiscoveryError(.nothing, [nothing] + warnings)
    }
}
