import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMDiscovery
import PMModel
import PMSystem

/// The folder of a daemon's packages: that of the project, else `packages` in the state directory.
struct PackageFolder {
    /// The daemon's files.
    let location: DaemonLocation
    /// The folder with package.json and node_modules.
    let path: String
    private let session: CommandContext

    /// Finds it, for a user who may change it.
    ///
    /// - Throws: a 403 for another user's daemon: what root installed there would be root's.
    init(_ session: CommandContext) throws(APIError) {
        self.session = session
        location = try Self.location(session)
        if let distrust = location.distrust { throw .notPermitted(distrust.message, hint: distrust.hint) }
        path = Self.path(location)
        try checkOwner()
    }

    /// The folder of the daemon that is meant, to look at.
    static func ofDaemon(_ session: CommandContext) throws(APIError) -> String { path(try location(session)) }

    private static func location(_ session: CommandContext) throws(APIError) -> DaemonLocation {
        guard session.target.socket == nil else {
            throw .badRequest("--pm-sock names no folder for packages", hint: "use --config FILE, --user or --system")
        }
        let locator = try session.locator()
        if let location = try locator.location() { return location }
        return try locator.locationForStart()
    }

    private static func path(_ location: DaemonLocation) -> String {
        location.scope == .project ? location.configDirectory : location.stateDirectory + "/packages"
    }

    private func checkOwner() throws(APIError) {
        let place = location.hasConfigFile ? location.configFile : location.configDirectory
        do throws(SystemError) {
            if location.scope == .system, geteuid() != 0 {
                throw SystemError("change", path, code: EPERM)
            }
            guard let owner = try Files.status(place)?.owner, owner != geteuid() else { return }
            throw SystemError("change", path, code: EPERM)
        } catch {
            throw APIError(
                error, doing: "change the packages of \(location.configFile)",
                hint: location.scope == .system ? "sudo pm --system ..." : "run it as the owner of \(place)")
        }
    }

    /// The configuration as it is now; a new one where there is none.
    func configuration() throws(APIError) -> Configuration {
        do throws(ConfigError) {
            return try session.store(of: location).loadOrCreate().configuration
        } catch {
            throw APIError(error)
        }
    }

    /// Changes the configuration, all or nothing.
    func edit(_ edits: [ConfigEdit]) throws(APIError) {
        do throws(ConfigError) {
            _ = try session.store(of: location).edit(edits)
        } catch {
            throw APIError(error)
        }
    }

    /// The package.json of a folder; nil when there is none.
    ///
    /// - Throws: a 400 when it cannot be read.
    static func manifest(in folder: String) throws(APIError) -> JSONValue? {
        let path = folder + "/package.json"
        do {
            guard try Files.status(path) != nil else { return nil }
            return try JSONValue(parsing: try Files.read(path, limit: 16 << 20))
        } catch let error as SystemError {
            throw APIError(error, doing: "read \(path)")
        } catch {
            throw .badRequest("cannot read \(path): \(error)")
        }
    }

    /// The version of an installed package below a folder; nil when it is not there.
    static func version(of name: String, in folder: String) throws(APIError) -> String? {
        try manifest(in: "\(folder)/node_modules/\(name)").map { $0["version"]?.string ?? "0.0.0" }
    }

    // MARK: services

    /// The services of an installed package; `work` is where it is now, `path` where it will be.
    func services(of name: String, in work: String) throws(APIError) -> [DiscoveredContainer] {
        let found: Discovery
        do throws(DiscoveryError) {
            found = try Discovery.discover("\(work)/node_modules/\(name)", from: work)
        } catch {
            if error.kind == .nothing { return [] }
            throw .badRequest(error.description, hint: error.hint)
        }
        if let problem = found.problems.first { throw .badRequest(problem.description, hint: problem.hint) }
        return found.containers.map { container in
            var moved = container
            let file = Paths.path(ofFileURL: container.definition.path) ?? container.definition.path
            moved.definition.path = shown(Paths.resolve(Paths.relative(file, to: work), from: path))
            return moved
        }
    }

    /// A path as the configuration has it: relative for files of a project, so that a copy of it runs its own.
    func shown(_ file: String) -> String {
        location.scope == .project ? Paths.relative(file, to: path) : file
    }

    /// The package that a definition's program belongs to; nil for the project's own, and for no program.
    func package(of definition: ContainerDefinition) -> String? {
        guard definition.runtime != .docker else { return nil }
        let file = Paths.resolve(
            Paths.path(ofFileURL: definition.path) ?? definition.path, from: location.configDirectory)
        let modules = path + "/node_modules"
        if Paths.isInside(file, modules) {
            let parts = file.dropFirst(modules.count + 1).split(separator: "/")
            let count = parts.first?.hasPrefix("@") == true ? 2 : 1
            return parts.count > count ? parts[..<count].joined(separator: "/") : nil
        }
        var folder = Paths.directory(of: file)
        while folder != path, folder.count > 1 {
            // What cannot be read belongs to no package; the command that runs it says what is wrong.
            if let manifest = try? Self.manifest(in: folder) { return manifest["name"]?.string }
            folder = Paths.directory(of: folder)
        }
        return nil
    }

    /// The mappings and definitions of a package's services.
    func names(of package: String, in configuration: Configuration) -> [String] {
        let owned = configuration.containers.filter { self.package(of: $0.value) == package }.map(\.name)
        let mapped = configuration.mappings.filter { owned.contains($0.value.container) && !owned.contains($0.name) }
        return mapped.map(\.name) + owned
    }
}
