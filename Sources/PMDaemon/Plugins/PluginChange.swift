import PMModel
import PMSupervisor

/// Steps from the plugins that run to those that are wanted.
enum PluginChange: Equatable {
    /// The unit is to run.
    case start(String)
    /// The unit is to run again, because its files or its options are others.
    case restart(String)
    /// The unit is to run no more.
    case stop(String)

    /// The steps, stops first.
    ///
    /// - Parameters:
    ///   - known: the units of plugins that the supervisor knows, and how each was configured.
    ///   - wanted: the units of the configuration, in its order.
    static func steps(known: [String: Unit], wanted: [Unit]) -> [PluginChange] {
        let names = Set(wanted.map(\.name))
        let stops = known.keys.filter { !names.contains($0) }.sorted().map(PluginChange.stop)
        return stops
            + wanted.compactMap { unit in
                guard let before = known[unit.name] else { return .start(unit.name) }
                return before == unit ? nil : .restart(unit.name)
            }
    }
}
