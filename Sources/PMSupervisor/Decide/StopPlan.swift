/// An action of a stop plan.
public enum StopPlanAction: Equatable, Sendable {
    /// Stop this unit: all units that need it are gone.
    case stop(String)
    /// All are stopped; those that outlive every SIGKILL are named with their number of processes, sorted by name.
    case done(survivors: [Survivors])

    /// A unit of which processes outlive every SIGKILL.
    public struct Survivors: Equatable, Sendable {
        /// Name of the unit.
        public var unit: String
        /// The number of processes.
        public var count: UInt32

        /// Makes an entry.
        public init(unit: String, count: UInt32) {
            self.unit = unit
            self.count = count
        }
    }
}

/// Follows one request to stop some units: each when the trees of all that need it are gone, independent ones at the
/// same time.
///
/// Every stop ends, so every plan does: a unit with survivors counts as stopped. Feed it every `ended` of its units,
/// and store it before performing what it returns, for that leads to more of these.
public struct StopPlan: Equatable, Sendable {
    private enum Progress: Equatable {
        /// So many units that need it are not gone.
        case waiting(unmet: Int)
        case stopping
        case gone
    }

    private let order: StartOrder
    private let names: Set<String>
    private var progress: [String: Progress] = [:]
    private var unfinished: Int
    private var survivors: [StopPlanAction.Survivors] = []

    /// Plans to stop those of `names` that are in `order`; the other units of the order are left alone, but a unit that
    /// is needed through one of them waits all the same.
    public init(stopping names: some Sequence<String>, order: StartOrder) {
        self.order = order
        self.names = Set(names.filter(order.contains))
        unfinished = self.names.count
        progress.reserveCapacity(order.count)
        for name in order.names { progress[name] = .waiting(unmet: order.dependents(of: name).count) }
    }

    /// True when all units are stopped.
    public var isDone: Bool { unfinished == 0 }

    /// The first actions; called once.
    public mutating func start() -> [StopPlanAction] {
        var actions: [StopPlanAction] = []
        for level in order.stopLevels {
            for name in level where order.dependents(of: name).isEmpty { stop(name, &actions) }
        }
        if isDone { actions.append(.done(survivors: [])) }
        return actions
    }

    /// A unit is to be started again: its stop waits for no other unit any more.
    public mutating func hasten(_ name: String) -> [StopPlanAction] {
        guard case .waiting = progress[name], names.contains(name) else { return [] }
        var actions: [StopPlanAction] = []
        stop(name, &actions)
        return actions
    }

    /// A unit's tree is gone, or has survivors.
    public mutating func ended(_ name: String, survivors count: UInt32) -> [StopPlanAction] {
        guard progress[name] == .stopping else { return [] }
        if count > 0 { survivors.append(.init(unit: name, count: count)) }
        unfinished -= 1
        var actions: [StopPlanAction] = []
        leave(name, &actions)
        if isDone { actions.append(.done(survivors: survivors.sorted { $0.unit < $1.unit })) }
        return actions
    }

    private mutating func stop(_ name: String, _ actions: inout [StopPlanAction]) {
        guard names.contains(name) else { return leave(name, &actions) }
        progress[name] = .stopping
        actions.append(.stop(name))
    }

    /// A unit is out of the way: what only it needed comes next. Units to be left alone are passed at once.
    private mutating func leave(_ name: String, _ actions: inout [StopPlanAction]) {
        var queue = [name]
        while let name = queue.popLast() {
            progress[name] = .gone
            for dependency in order.dependencies(of: name) {
                guard case .waiting(let unmet) = progress[dependency] else { continue }
                progress[dependency] = .waiting(unmet: unmet - 1)
                guard unmet == 1 else { continue }
                if names.contains(dependency) { stop(dependency, &actions) } else { queue.append(dependency) }
            }
        }
    }
}
