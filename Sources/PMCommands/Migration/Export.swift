import ArgumentParser
import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMMigration
import PMModel
import PMSystem

/// `pm export TARGET [NAME...]`.
struct ExportCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write services as files for another process manager.",
        discussion: """
            TARGET is systemd (units), compose (compose.yaml), procfile, pm2 (ecosystem.config.cjs) or kubernetes (kubernetes.yaml). \
            Without names pm exports all services of the nearest configuration. The files go to standard output, with --to into a folder; \
            what the target has nothing for, and what to do instead, goes to standard error.

            EXAMPLES
              pm export systemd web --to ./units
              pm export compose > compose.yaml
              pm export kubernetes api worker | kubectl apply -f -
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("Write the files into this folder.", valueName: "folder"), completion: .directory)
    var to: String?

    @Flag(help: "With --to: replace files that are there already.")
    var force = false

    @Argument(
        help: "The process manager: systemd, compose, procfile, pm2 or kubernetes.",
        completion: .list(ExportTarget.allCases.map(\.rawValue)), transform: Self.target)
    var target: ExportTarget

    @Argument(help: "The services; without a name all.", completion: .from(.services))
    var names: [String] = []

    private static func target(_ text: String) throws -> ExportTarget {
        guard let target = ExportTarget(rawValue: text) else {
            let known = ExportTarget.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("pm exports for \(known), not for '\(text)'.")
        }
        return target
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let configuration = try ConfigurationFile(session)
        let directory = configuration.file.directory
        var services: [ExportedService] = []
        var wanted = configuration.file.configuration.unitNames
        if !names.isEmpty {
            wanted = []
            for name in names { wanted.append(try configuration.service(name)) }
        }
        let reader = ExportReader(configuration: configuration.file, session: session)
        for name in wanted {
            guard let unit = configuration.file.configuration.unit(name) else { continue }
            services.append(try reader.service(unit))
        }
        guard !services.isEmpty else {
            throw .notFound("\(configuration.file.path) has no services", hint: "pm start ./app.js adds one")
        }
        let export = target.export(services, folder: directory)
        let paths = try to.map { folder throws(APIError) in try write(export, to: folder, session) } ?? []
        tell(export, paths, session)
        return .success
    }

    private func write(_ export: Export, to folder: String, _ session: CommandContext) throws(APIError) -> [String] {
        let folder = Paths.resolve(folder, from: try session.workingDirectory())
        let paths = export.files.map { "\(folder)/\($0.name)" }
        do throws(SystemError) {
            for path in paths where !force {
                guard try Files.entry(path) == nil else { throw SystemError("write", path, code: EEXIST) }
            }
            try Files.makeDirectories(folder, mode: 0o755)
            for file in export.files {
                let path = "\(folder)/\(file.name)"
                try Files.replace(path, with: Array(file.text.utf8))
                // Variables may be secret; systemd wants units that all can read, as its interfaces show them anyway.
                let mode: mode_t = target == .systemd ? 0o644 : 0o600
                if chmod(path, mode) != 0 { throw .last("chmod", path) }
            }
        } catch {
            guard error.code == EEXIST else { throw APIError(error, doing: "export") }
            throw .conflict("\(error.object) exists already", hint: "--force replaces it")
        }
        return paths
    }

    private func tell(_ export: Export, _ paths: [String], _ session: CommandContext) {
        switch session.format {
        case .json:
            let files = export.files.map { JSONValue.object(["name": .string($0.name), "text": .string($0.text)]) }
            let answer: JSONValue = [
                "target": .string(target.rawValue), "files": .array(files),
                "written": .array(paths.map { .string($0) }), "fields": .array(export.fields.map(\.json)),
            ]
            session.output.line(answer.text)
        case .table:
            for path in paths { session.output.line(DisplayWidth.printable("wrote \(path)")) }
            for file in export.files where to == nil {
                if export.files.count > 1 { session.output.line("# \(file.name)") }
                session.output.write(Array(file.text.utf8))
            }
            for field in export.fields {
                guard case .noEquivalent(let advice) = field.outcome else { continue }
                session.note("\(field.service): \(field.field): no equivalent: \(advice)")
            }
        }
    }
}

/// Makes services of a configuration ready for an export.
struct ExportReader {
    let configuration: ConfigFile
    let session: CommandContext

    private var folder: String { configuration.directory }

    /// The service with absolute paths.
    ///
    /// - Throws: a 400 for a path that is a URL, a runtime of a plugin, and a container's file that cannot be read.
    func service(_ unit: ConfiguredUnit) throws(APIError) -> ExportedService {
        if case .plugin(let runtime) = unit.definition.runtime {
            throw .badRequest(
                "\(unit.name) has the runtime \(runtime) of a plugin, and only pm runs that",
                hint: "pm export with the names of the other services")
        }
        do {
            var mapping = unit.mapping
            mapping.envFiles = try unit.environmentFiles(in: folder)
            mapping.listen = try unit.sockets(in: folder)
            mapping.sandbox.writable = try unit.writablePaths(in: folder)
            let path = try unit.programPath(in: folder)
            let isHosted = try isHosted(path, unit.definition)
            let words = isHosted ? try hostCommand(unit.name) : try command(path)
            var service = ExportedService(
                name: unit.name, command: words + (unit.definition.runtime == .docker ? [] : mapping.cli),
                directory: try unit.workingDirectory(in: folder), mapping: mapping)
            service.isHosted = isHosted
            service.dependencies = mapping.dependencies + unit.definition.dependencies.map { Dependency($0) }
            if unit.definition.runtime == .docker { service.container = try container(path) }
            return service
        } catch let error as ConfigError {
            throw APIError(error)
        } catch let error as SystemError {
            throw APIError(error, doing: "export \(unit.name)")
        } catch {
            throw .internalFailure("cannot export \(unit.name): \(error)")
        }
    }

    /// True for what only pm's host runs.
    private func isHosted(_ path: String, _ definition: ContainerDefinition) throws(SystemError) -> Bool {
        guard definition.runtime != .docker else { return false }
        if definition.runtime == .worker || definition.isCommandable || path.hasSuffix(".json") { return true }
        return try Files.status(path)?.kind == .directory
    }

    private func hostCommand(_ name: String) throws(SystemError) -> [String] {
        [try Files.linkTarget("/proc/self/exe"), "run", "--config", configuration.path, name]
    }

    private func command(_ path: String) throws(SystemError) -> [String] {
        let isScript = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].contains { path.hasSuffix($0) }
        guard isScript, try Files.status(path)?.isExecutable != true else { return [path] }
        let finder = ProgramFinder(path: session.environment["PATH"] ?? "", directory: folder)
        return [finder.program("node") ?? "/usr/bin/node", path]
    }

    private func container(_ path: String) throws -> JSONObject {
        let bytes = try Files.read(path, limit: 1 << 20)
        _ = try DockerConfiguration(path: path, bytes: bytes)
        var members = try JSONValue(parsing: bytes).object ?? JSONObject()
        let place = Paths.directory(of: path)
        if place != folder, let volumes = members["volumes"]?.array {
            members["volumes"] = .array(
                volumes.map { volume in
                    guard let text = volume.string, text.hasPrefix(".") else { return volume }
                    let source = text.prefix { $0 != ":" }
                    return .string(Paths.resolve(String(source), from: place) + text.dropFirst(source.count))
                })
        }
        return members
    }
}
