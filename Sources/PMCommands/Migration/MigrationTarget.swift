import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMMigration
import PMModel
import PMSystem

/// The configuration into which services of another process manager come.
struct MigrationTarget {
    let location: DaemonLocation
    /// The configuration as it is; empty when there is no file yet.
    let old: Configuration
    private let store: ConfigStore
    private let bytes: [UInt8]?
    private let mode: UInt32

    /// The nearest configuration, or that which `pm start pm` would make; for an .akala.json that beside it.
    init(_ sources: MigrationSources, _ session: CommandContext) throws(APIError) {
        var locator = try session.locator()
        if sources.format == .akala {
            guard session.target.selection == .nearest else {
                throw .badRequest(
                    "the configuration of an .akala.json is in its folder: omit --config, --user and --system")
            }
            locator.selection = .file(Paths.resolve(DaemonLocation.configName, from: sources.directory))
            location = try locator.locationForStart()
        } else {
            location = try ProgramStart.location(locator, session)
        }
        try DaemonStart.requireTrust(location)
        do {
            store = try session.store(of: location)
            let isThere = try Files.status(location.configFile) != nil
            let file = isThere ? try store.load() : nil
            bytes = file?.document.bytes
            old = file?.configuration ?? Configuration()
            // Secrets of a file that only its owner can read stay secret.
            mode = UInt32(try Files.status(sources.paths[0])?.mode ?? 0o644) & 0o666
        } catch let error as ConfigError {
            throw APIError(error)
        } catch let error as SystemError {
            throw APIError(error, doing: "read \(location.configFile)")
        } catch {
            throw .internalFailure("cannot read \(location.configFile): \(error)")
        }
    }

    /// The services that a change would not touch, and those that it would.
    ///
    /// - Throws: a 409 for names that are there with other settings, unless they are to be replaced; a 400 for a value
    ///   that a configuration cannot have.
    func change(_ result: MigrationResult, replaces: Bool) throws(APIError) -> MigrationChange {
        var change = MigrationChange(result: result)
        var names: Set<String> = []
        for service in result.migration.services {
            guard service.name != "pm" else { throw .badRequest("a service cannot have the name pm: rename it") }
            guard names.insert(service.name).inserted else {
                throw .badRequest("there are two services \(service.name)", hint: "rename one in the file")
            }
            change.kinds.append(try kind(of: service))
            if let file = try containerFile(service) { change.files.append(file) }
        }
        let conflicts = change.conflicts.map(\.name) + change.files.filter(\.isConflict).map(\.path)
        guard conflicts.isEmpty || replaces else {
            throw .conflict(
                "\(conflicts.joined(separator: ", ")): there already with other settings, in \(location.configFile)",
                hint: "--force replaces them; --plan --force shows the result")
        }
        let edits = result.migration.services.flatMap(\.edits) + result.packages.map { .addPackage($0) }
        do throws(ConfigError) {
            change.text = try store.applying(edits, to: start).document.bytes
            change.fresh = try store.applying(edits, to: Array(ConfigStore.empty.utf8)).document.root.value
        } catch {
            throw APIError(error)
        }
        change.edits = edits
        return change
    }

    private var start: [UInt8] { bytes ?? Array(ConfigStore.empty.utf8) }

    private func kind(of service: MigratedService) throws(APIError) -> MigrationChange.Kind {
        guard old.unit(service.name) != nil || old.mapping(service.name) != nil else { return .added }
        do throws(ConfigError) {
            return try store.applying(service.edits, to: start).document.bytes == start ? .same : .replaced
        } catch {
            throw APIError(error)
        }
    }

    private func containerFile(_ service: MigratedService) throws(APIError) -> MigrationChange.File? {
        guard let container = service.container else { return nil }
        let path = Paths.resolve(service.definition.path, from: location.configDirectory)
        let bytes = JSONValue.object(container).serialized(indent: "  ") + [UInt8(ascii: "\n")]
        do {
            _ = try DockerConfiguration(path: path, bytes: bytes)
            let old = try Files.status(path) == nil ? nil : Files.read(path, limit: 1 << 20)
            return .init(path: path, bytes: bytes, isConflict: old.map { $0 != bytes } ?? false)
        } catch let error as ConfigError {
            throw APIError(error)
        } catch let error as SystemError {
            throw APIError(error, doing: "read \(path)")
        } catch {
            throw .internalFailure("cannot read \(path): \(error)")
        }
    }

    /// Writes the files of containers, then the configuration.
    func write(_ change: MigrationChange) throws(APIError) {
        do {
            if !change.files.isEmpty { try Files.makeDirectories(location.configDirectory, mode: 0o755) }
            for file in change.files {
                try Files.replace(file.path, with: file.bytes)
                // As the file that it comes from.
                if chmod(file.path, mode) != 0 { throw SystemError.last("chmod", file.path) }
            }
            if bytes == nil {
                try Files.makeDirectories(location.configDirectory, mode: 0o755)
                _ = try store.create(change.text, mode: mode)
            } else if change.text != bytes {
                try store.edit(change.edits)
            }
        } catch let error as ConfigError {
            throw APIError(error)
        } catch let error as SystemError {
            throw APIError(error, doing: "write \(location.configFile)")
        } catch {
            throw .internalFailure("cannot write \(location.configFile): \(error)")
        }
    }
}

/// A change of a configuration that has been checked.
struct MigrationChange {
    /// Effect on one service.
    enum Kind: String {
        case added
        case same
        case replaced
    }

    /// The file of a container.
    struct File {
        var path: String
        var bytes: [UInt8]
        /// True when there is such a file with another content.
        var isConflict: Bool
    }

    let result: MigrationResult
    /// An effect for each service.
    var kinds: [Kind] = []
    var files: [File] = []
    var edits: [ConfigEdit] = []
    /// The configuration afterwards.
    var text: [UInt8] = []
    /// A configuration with nothing but these services.
    var fresh: JSONValue = .null

    init(result: MigrationResult) { self.result = result }

    /// The services with the effect on each.
    var services: [(name: String, kind: Kind)] {
        zip(result.migration.services, kinds).map { ($0.name, $1) }
    }

    var conflicts: [(name: String, kind: Kind)] { services.filter { $0.kind == .replaced } }
}

extension MigratedService {
    fileprivate var edits: [ConfigEdit] {
        [.setContainer(mapping.container, definition), .setMapping(name, mapping)]
    }
}
