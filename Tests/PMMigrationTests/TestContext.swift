import PMModel

@testable import PMMigration

extension MigrationContext {
    /// A project in `/srv/app` with these files, and node and python3 in `PATH`.
    static func test(_ files: String...) -> MigrationContext {
        var context = MigrationContext(directory: "/srv/app", target: "/srv/app")
        context.program = { ["node", "python3", "npm"].contains($0) ? "/usr/bin/\($0)" : nil }
        context.exists = { files.contains($0) }
        context.processors = 4
        return context
    }
}

extension Migration {
    /// What became of a field; the texts are joined when there are several.
    func answer(_ field: String) -> String {
        fields.filter { $0.field == field }.map { found in
            switch found.outcome {
            case .became(let keys): keys
            case .needless(let reason): "-\(reason)"
            case .noEquivalent(let advice): "!\(advice)"
            }
        }.joined(separator: "\n")
    }

    func service(_ name: String) -> MigratedService {
        services.first { $0.name == name }
            ?? MigratedService(name: "", definition: ContainerDefinition(path: ""), mapping: Mapping(container: ""))
    }
}

extension MigratedService {
    var command: [String] { [definition.path] + mapping.cli }
    var env: [String: String] {
        Dictionary(mapping.env.map { ($0.name, $0.value ?? "(removed)") }, uniquingKeysWith: { $1 })
    }
}
