import JSON
import PMConfig
import PMModel

@testable import PMMigration

/// Files of other process managers: what is read is a service that a configuration can have, and that reads back from a unit of
/// systemd as it was.
enum MigrationTarget {
    static func check(ecosystem input: [UInt8]) throws(Finding) {
        try check(Result(of: { () throws(MigrationError) in try EcosystemFile(bytes: input).migration(context) }))
    }

    static func check(procfile input: [UInt8]) throws(Finding) {
        try check(Result(of: { () throws(MigrationError) in try Procfile(bytes: input).migration(context) }))
    }

    static func check(compose input: [UInt8]) throws(Finding) {
        let tree = Result(of: { () throws(MigrationError) in try YAMLNode(bytes: input) })
        if case .success(let node) = tree {
            let value = node.json
            let again = try mustWork("what is written as YAML can be read") {
                try YAMLNode(bytes: Array(YAMLText.document(value).utf8)).json
            }
            try require(again == value, "what is written as YAML reads back")
        }
        try check(Result(of: { () throws(MigrationError) in try ComposeFile(bytes: input).migration(context) }))
    }

    static func check(unit input: [UInt8]) throws(Finding) {
        try check(
            Result(of: { () throws(MigrationError) in
                try UnitFiles([UnitFile(name: "fuzzed.service", bytes: input)]).migration(context)
            }))
    }

    static func check(supervisord input: [UInt8]) throws(Finding) {
        try check(Result(of: { () throws(MigrationError) in try SupervisordFile(bytes: input).migration(context) }))
    }

    private static var context: MigrationContext {
        var context = MigrationContext(directory: "/srv/app", target: "/srv/app")
        context.processors = 4
        context.environment = ["HOME": "/home/f", "X": "y"]
        context.program = { $0 == "node" ? "/usr/bin/node" : nil }
        return context
    }

    private static func check(_ result: Result<Migration, MigrationError>) throws(Finding) {
        switch result {
        case .failure(let error):
            try require(!error.message.isEmpty && error.line ?? 1 >= 1, "a refusal has a reason and a place")
        case .success(let migration):
            for field in migration.fields { try require(!field.field.isEmpty, "an answer names its field") }
            for service in migration.services { try check(service) }
        }
    }

    private static func check(_ service: MigratedService) throws(Finding) {
        try require(!service.definition.path.isEmpty, "a service has a program")
        try require((1...Mapping.mostInstances).contains(service.mapping.instances), "instances are in bounds")
        let store = try mustWork("a store needs no file") { try ConfigStore(path: ConfigTarget.path) }
        let edits: [ConfigEdit] = [
            .setContainer(service.name, service.definition), .setMapping(service.name, service.mapping),
        ]
        let file: ConfigFile
        do throws(ConfigError) {
            file = try store.applying(edits, to: Array(ConfigStore.empty.utf8))
        } catch {
            // A name or a value that a configuration cannot have.
            return try require(error.kind == .invalid, "a service is refused for what is wrong in it")
        }
        try require(file.configuration.mapping(service.name) == service.mapping, "a mapping reads back")
        for target in ExportTarget.allCases { _ = target.export([exported(service)], folder: "/srv/app") }
        if service.container == nil { try checkUnit(exported(service)) }
    }

    private static func exported(_ service: MigratedService) -> ExportedService {
        let program = Paths.resolve(service.definition.path, from: "/srv/app")
        var exported = ExportedService(
            name: service.name, command: [program] + service.mapping.cli, directory: "/srv/app",
            mapping: service.mapping)
        exported.container = service.container
        return exported
    }

    private static func checkUnit(_ service: ExportedService) throws(Finding) {
        let texts = service.command + service.mapping.env.map { $0.name + ($0.value ?? "") }
        // A unit is a text file, in which systemd has no way to write NUL.
        guard !texts.contains(where: { $0.utf8.contains(0) }) else { return }
        var alone = service
        (alone.mapping.env, alone.mapping.envFiles, alone.mapping.config) = ([], [], nil)
        guard let file = ExportTarget.systemd.export([alone], folder: "/srv/app").files.first else {
            throw Finding("a process becomes a unit")
        }
        // Names of users and the like are checked where they are used.
        let lines = file.text.split(separator: "\n").filter { $0.hasPrefix("ExecStart=") || $0.hasPrefix("[") }
        let unit = lines.joined(separator: "\n")
        let migration = try mustWork("an exported unit can be read: \(unit)") {
            try UnitFiles([UnitFile(name: "x.service", bytes: Array(unit.utf8))]).migration(context)
        }
        let words = migration.services.first.map { [$0.definition.path] + $0.mapping.cli } ?? []
        try require(
            words.dropFirst() == alone.command.dropFirst()[...], "a command reads back from a unit: \(unit)")
    }
}
