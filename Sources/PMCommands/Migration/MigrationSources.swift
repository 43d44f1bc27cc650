import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMMigration
import PMModel
import PMSystem

/// The files of another process manager that a command reads.
struct MigrationSources {
    /// The format of all files.
    let format: MigrationFormat
    /// The absolute paths.
    let paths: [String]
    /// Stage of an ecosystem file.
    var stage: String?
    private let session: CommandContext
    private let context: LocationContext

    /// Limit of a file, in bytes, as for a configuration.
    private static let longestFile = 16 << 20

    /// Finds the files.
    ///
    /// - Throws: a 400 for files of several formats and of one that pm does not know, a 404 for a missing one.
    init(_ names: [String], format: MigrationFormat?, _ session: CommandContext) throws(APIError) {
        self.session = session
        let directory = try session.workingDirectory()
        var paths: [String] = []
        for name in names {
            let path = Paths.resolve(Paths.path(ofFileURL: name) ?? name, from: directory)
            paths.append(try Self.file(path))
        }
        self.paths = paths
        context = try session.locator().context
        let formats = Set(paths.map { format ?? MigrationFormat(of: Paths.name(of: $0)) })
        guard formats.count == 1, let only = formats.first, let only else {
            throw .badRequest(
                "cannot tell the format of \(paths.joined(separator: ", "))",
                hint: "--format pm2, procfile, compose, systemd, supervisord or akala")
        }
        guard paths.count == 1 || only == .systemd else {
            throw .badRequest("only units of systemd are read together", hint: "pm import with one file after another")
        }
        self.format = only
        for path in paths { try requireTrust(path) }
    }

    /// Refuses a file that another user could have written, or a link to one that only this user may read.
    private func requireTrust(_ path: String) throws(APIError) {
        guard let problem = context.distrust(ofImported: path) else { return }
        throw .notPermitted(problem.message, hint: problem.hint)
    }

    /// The file that is meant, also by its folder.
    private static func file(_ path: String) throws(APIError) -> String {
        do throws(SystemError) {
            guard let status = try Files.status(path) else { throw SystemError("read", path, code: ENOENT) }
            guard status.kind == .directory else { return path }
            for name in MigrationFormat.usualNames where try Files.status("\(path)/\(name)") != nil {
                return "\(path)/\(name)"
            }
        } catch {
            throw APIError(error, doing: "import \(path)")
        }
        throw .notFound("\(path) has no file that pm can import", hint: "name the file")
    }

    /// The folder of the files.
    var directory: String { Paths.directory(of: paths[0]) }

    // MARK: reading

    /// The services, for a configuration.
    ///
    /// - Throws: a 400 for a file that cannot be read as its format.
    func migration(_ target: MigrationTarget) throws(APIError) -> MigrationResult {
        let bytes = try read(paths[0])
        guard format != .akala else { return try akala(bytes, target) }
        var context = MigrationContext(directory: directory, target: target.location.configDirectory)
        context.isRelative = target.location.scope == .project
        context.processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        context.stage = stage
        context.known = Set(target.old.unitNames)
        context.environment = session.environment
        context.dotenv = try dotenv()
        let finder = ProgramFinder(path: session.environment["PATH"] ?? "", directory: directory)
        context.program = { finder.program($0) }
        context.exists = { access($0, F_OK) == 0 }
        do {
            return MigrationResult(migration: try migration(bytes, context))
        } catch let error as MigrationError {
            throw .badRequest("\(paths[0]):\(error)", hint: "pm import --help names the formats")
        } catch let error as APIError {
            throw error
        } catch {
            throw .internalFailure("cannot import \(paths[0]): \(error)")
        }
    }

    private func migration(_ bytes: [UInt8], _ context: MigrationContext) throws -> Migration {
        switch format {
        case .procfile: return try Procfile(bytes: bytes).migration(context)
        case .compose: return try ComposeFile(bytes: bytes).migration(context)
        case .supervisord: return try SupervisordFile(bytes: bytes).migration(context)
        case .systemd: return try UnitFiles(units()).migration(context)
        case .pm2, .akala: return try ecosystem(bytes, context)
        }
    }

    private func ecosystem(_ bytes: [UInt8], _ context: MigrationContext) throws -> Migration {
        let path = paths[0]
        if path.hasSuffix(".json") { return try EcosystemFile(bytes: bytes).migration(context) }
        if path.hasSuffix(".yml") || path.hasSuffix(".yaml") {
            return try EcosystemFile(YAMLNode(bytes: bytes).json).migration(context)
        }
        let answer = try ModuleEvaluation(path: path, session).value()
        var migration = try EcosystemFile(answer["value"] ?? .null).migration(context)
        for name in answer["missing"]?.array?.compactMap(\.string) ?? [] {
            migration.fields.append(
                MigratedField(
                    "", "process.env.\(name)",
                    .noEquivalent("it had no value, because your environment is not passed: check what depends on it")))
        }
        return migration
    }

    private func units() throws -> [UnitFile] {
        var units: [UnitFile] = []
        for path in paths {
            var bytes = try read(path)
            let folder = path + ".d"
            // Without a folder there are no drop-ins.
            for name in ((try? Files.list(folder)) ?? []).sorted() where name.hasSuffix(".conf") {
                bytes += [UInt8(ascii: "\n")] + (try read("\(folder)/\(name)"))
            }
            units.append(try UnitFile(name: Paths.name(of: path), bytes: bytes))
        }
        return units
    }

    private func read(_ path: String) throws(APIError) -> [UInt8] {
        try requireTrust(path)
        do throws(SystemError) {
            return try Files.read(path, limit: Self.longestFile)
        } catch {
            throw APIError(error, doing: "import \(path)")
        }
    }

    /// Variables of the `.env` beside the file, which Compose and foreman read.
    private func dotenv() throws(APIError) -> [String: String] {
        let path = directory + "/.env"
        try requireTrust(path)
        // A missing file has no variables.
        guard let bytes = try? Files.read(path, limit: 1 << 20) else { return [:] }
        // The start of a service that uses a wrong one says what is wrong.
        let variables = (try? EnvironmentFile.parse(bytes, file: path)) ?? []
        return Dictionary(variables.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
    }

    // MARK: the reference

    private func akala(_ bytes: [UInt8], _ target: MigrationTarget) throws(APIError) -> MigrationResult {
        do throws(ConfigError) {
            let conversion = try ReferenceConfiguration(path: paths[0], bytes: bytes).converted(in: directory) {
                // A file that cannot be looked at is none that a service can run.
                (try? Files.status($0)) != nil
            }
            let file = try ConfigFile(path: target.location.configFile, bytes: conversion.text)
            var result = MigrationResult(migration: Migration())
            result.packages = file.configuration.packages
            result.notes = conversion.notes
            for name in file.configuration.unitNames {
                guard let unit = file.configuration.unit(name) else { continue }
                let service = MigratedService(name: name, definition: unit.definition, mapping: unit.mapping)
                result.migration.services.append(service)
            }
            return result
        } catch {
            throw APIError(error)
        }
    }
}

/// Services of a file, and what belongs to them.
struct MigrationResult {
    var migration: Migration
    /// Packages for `setup.packages`.
    var packages: [String] = []
    /// Sentences about parts that are left out.
    var notes: [String] = []
}
