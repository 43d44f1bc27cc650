public import PMModel
import PMSystem

/// Why a unit that is to run has not been started.
public enum WaitReason: Equatable, Sendable {
    /// Something that it needs failed, or was stopped. It is started when that is ready.
    case dependency(StartProblem)
    /// A dependency went down while the unit ran. The unit is restarted or started when that is ready again.
    case wentDown(Dependency)
    /// A dependency is missing, or in a cycle. The unit is tried again when the configuration has changed.
    case order(StartOrderError)
}

/// Units that go on to be wanted although their start failed, because of something that they need.
@PMActor
struct WaitingUnits {
    private struct Waiting {
        let reason: WaitReason
        let again: @PMActor () -> Void
    }

    private var units: [String: Waiting] = [:]

    /// Names of units that wait for a dependency.
    var names: [String] { Array(units.keys) }

    /// Dependencies that went down, and that units wait for, sorted.
    var dependencies: [String] {
        let names = units.values.compactMap { waiting -> String? in
            if case .wentDown(let dependency) = waiting.reason { dependency.name } else { nil }
        }
        return Set(names).sorted()
    }

    /// Why a unit waits; nil when it does not, or its start is under way.
    func reason(of name: String) -> WaitReason? { units[name]?.reason }

    /// A unit waits; `again` starts it.
    mutating func add(_ name: String, _ reason: WaitReason, again: @escaping @PMActor () -> Void) {
        units[name] = Waiting(reason: reason, again: again)
    }

    /// Somebody has started or stopped it.
    mutating func remove(_ name: String) {
        units[name] = nil
    }

    /// A unit that waits no more.
    struct Released {
        let name: String
        let reason: WaitReason
        let again: @PMActor () -> Void
    }

    /// Those that waited for this unit, which is ready now, in the order of their names; they do not wait any more.
    mutating func takeThose(waitingFor name: String) -> [Released] {
        removeAll {
            switch $0 {
            case .dependency(let problem): problem.unit == name
            case .wentDown(let dependency): dependency.name == name
            case .order: false
            }
        }
    }

    /// Those that waited for another configuration.
    mutating func takeThoseOfConfiguration() -> [Released] {
        removeAll {
            switch $0 {
            case .dependency, .wentDown: false
            case .order: true
            }
        }
    }

    private mutating func removeAll(_ condition: (WaitReason) -> Bool) -> [Released] {
        guard !units.isEmpty else { return [] }
        let names = units.filter { condition($0.value.reason) }.map(\.key).sorted()
        return names.compactMap { name in
            units.removeValue(forKey: name).map { Released(name: name, reason: $0.reason, again: $0.again) }
        }
    }
}
