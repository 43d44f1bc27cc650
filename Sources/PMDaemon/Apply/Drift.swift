import Glibc
import PMConfig
import PMModel
import PMSupervisor
import PMSystem

/// Compares what runs with the configuration.
@PMActor
struct Drift {
    let supervisor: Supervisor
    let units: UnitResolver
    let routing: OutputRouting

    /// The settings of an instance that are other ones than in the configuration; none for one that does not run, or
    /// is not in the configuration.
    func changes(of name: String) -> [SettingChange] {
        guard let running = supervisor.service(runBy: name), let configured = units.service(name) else { return [] }
        let changes = ServiceComparison.changes(from: running, to: configured, conditions)
        guard let digest = supervisor.inheritedDigest(of: name) else { return changes }
        // Of these settings the values that the process has are not known, only that they are others.
        let now = ServiceDigest.of(configured)
        let others = ServiceSetting.allCases.filter { $0.isOfProcess && digest[$0.rawValue] != now[$0.rawValue] }
        return others.map { SettingChange($0, .restart) } + changes.filter { !$0.setting.isOfProcess }
    }

    /// The keys of those settings, for a status.
    func keys(of name: String) -> [String] {
        UnitName.isOfPart(name) ? [] : changes(of: name).map(\.setting.rawValue)
    }

    private var conditions: ServiceComparison.Conditions {
        .init(logs: routing.usualDestination, mayRaiseLimits: geteuid() == 0)
    }
}

extension UnitResolver {
    /// A service as the configuration has it now, its dependencies under their full names as those of what runs; nil when
    /// there is none.
    func service(_ name: String) -> ServiceComparison.Service? {
        guard let found = configured(name) else { return nil }
        var unit = Unit(name: name, definition: found.definition, mapping: found.mapping)
        unit.resolveDependencies(fullName)
        return ServiceComparison.Service(unit.definition, unit.mapping)
    }
}

extension UnitResolver {
    /// Origins of the variables of a unit; those of pm itself are not among them.
    ///
    /// - Throws: `SpawnFailure` when an environment file is missing or wrong.
    func environmentOrigins(of unit: Unit) throws(SpawnFailure) -> [String: UnitEnvironment.Source] {
        let configured = ConfiguredUnit(name: unit.name, definition: unit.definition, mapping: unit.mapping)
        let entries = try variables(of: configured, base: environment).entries
        return Dictionary(entries.map { ($0.name, $0.source) }) { _, last in last }
    }
}
