/// An action of a start plan.
public enum StartPlanAction: Equatable, Sendable {
    /// Start this unit: all units that it needs are ready.
    case start(String)
    /// This unit, asked for by name, has come as far as was asked.
    case reached(String)
    /// This unit, asked for by name, will not; told at once, while others go on.
    case failed(String, StartPlanFailure)
}

/// Why a unit that was asked for is not started, or did not come as far as was asked.
public struct StartPlanFailure: Equatable, Sendable {
    /// Cause of a failure.
    public enum Reason: Equatable, Sendable {
        /// The unit died, missed its readiness deadline, or cannot be started.
        case failed(StartFailure)
        /// Someone stopped it meanwhile.
        case stopped
    }

    /// The unit that it happened to: the one asked for, or one that it needs.
    public var unit: String
    /// Cause of the failure.
    public var reason: Reason

    /// Makes a failure.
    public init(unit: String, reason: Reason) {
        self.unit = unit
        self.reason = reason
    }
}

/// Follows one request to start some units with all that they need.
///
/// Readiness is a level: a unit is started when everything that it needs is ready at that moment, independent ones at
/// the same time. A unit that dies keeps its dependents waiting while its policy restarts it at normal speed; one that
/// failed for good fails them at once. It failed for good when its policy gives up or begins to cool, when it missed
/// its readiness deadline or cannot be started, when someone stopped it, or after too many deaths.
///
/// Feed it every `startOutcome` and `becameUnready` of the units in its order, and store it before performing what it
/// returns, for that leads to more of these.
public struct StartPlan: Equatable, Sendable {
    /// The state that the requested units have to reach.
    public enum Goal: Equatable, Sendable {
        /// The process runs: enough without `--wait`.
        case spawned
        /// The unit is ready.
        case ready
    }

    private enum Progress: Equatable {
        case waiting(unmet: Int)
        case started(deaths: Int)
        case ready
        case failed(StartPlanFailure)
    }

    /// The number of deaths of one unit through which its dependents wait.
    public var deathsLimit = 10
    /// True when the plan restarts its targets: their state before the request then means nothing.
    public var renewsTargets = false

    private let order: StartOrder
    private let goal: Goal
    private let targets: Set<String>
    private var progress: [String: Progress] = [:]
    private var unanswered: Set<String>
    private var waiting = 0

    /// Plans to start `targets`, which with all that they need are in `order`; `isReady` is each unit's present level.
    public init(targets: [String], order: StartOrder, goal: Goal, isReady: (String) -> Bool) {
        self.order = order
        self.goal = goal
        self.targets = Set(targets)
        unanswered = self.targets
        progress.reserveCapacity(order.count)
        for name in order.names {
            if isReady(name) {
                progress[name] = .ready
            } else {
                let unmet = order.dependencies(of: name).count { progress[$0] != .ready }
                progress[name] = .waiting(unmet: unmet)
                waiting += 1
            }
        }
    }

    /// True when every target has an answer and no unit is left to start.
    public var isDone: Bool { unanswered.isEmpty && waiting == 0 }

    /// The first actions; called once.
    public mutating func start() -> [StartPlanAction] {
        var actions: [StartPlanAction] = []
        if renewsTargets { forgetTargets() }
        for name in order.names {
            if progress[name] == .ready { reach(name, &actions) } else { startIfMet(name, &actions) }
        }
        return actions
    }

    /// A unit of the order said how its start went.
    public mutating func record(_ outcome: StartOutcome, of name: String) -> [StartPlanAction] {
        var actions: [StartPlanAction] = []
        if renewsTargets, outcome.isSuccess, targets.contains(name), case .waiting = progress[name] { return [] }
        switch outcome {
        case .spawned:
            if goal == .spawned { reach(name, &actions) }
        case .ready: becomeReady(name, &actions)
        case .failed(let failure): handleFailure(failure, of: name, &actions)
        case .superseded: failForGood(StartPlanFailure(unit: name, reason: .stopped), &actions)
        }
        return actions
    }

    /// A unit of the order does not serve any more; those that were not started yet wait for it again.
    public mutating func becameUnready(_ name: String) {
        guard progress[name] == .ready else { return }
        progress[name] = .started(deaths: 0)
        holdBack(dependentsOf: name)
    }

    /// Gives up, as when everything is to stop: nothing more is started and every target is answered.
    public mutating func cancel() -> [StartPlanAction] {
        var actions: [StartPlanAction] = []
        for name in order.names {
            let failure = StartPlanFailure(unit: name, reason: .stopped)
            progress[name] = .failed(failure)
            answer(name, failure, &actions)
        }
        waiting = 0
        return actions
    }
}

extension StartPlan {
    /// Takes targets that are ready for ones that are still to be started.
    private mutating func forgetTargets() {
        for name in order.names where targets.contains(name) && progress[name] == .ready {
            progress[name] = .waiting(unmet: order.dependencies(of: name).count { progress[$0] != .ready })
            waiting += 1
            holdBack(dependentsOf: name)
        }
    }

    private mutating func holdBack(dependentsOf name: String) {
        for dependent in order.dependents(of: name) {
            if case .waiting(let unmet) = progress[dependent] { progress[dependent] = .waiting(unmet: unmet + 1) }
        }
    }

    private mutating func startIfMet(_ name: String, _ actions: inout [StartPlanAction]) {
        guard progress[name] == .waiting(unmet: 0) else { return }
        progress[name] = .started(deaths: 0)
        waiting -= 1
        precondition(waiting >= 0, "more units of a plan were started than waited")
        actions.append(.start(name))
    }

    private mutating func reach(_ name: String, _ actions: inout [StartPlanAction]) {
        if unanswered.remove(name) != nil { actions.append(.reached(name)) }
    }

    private mutating func becomeReady(_ name: String, _ actions: inout [StartPlanAction]) {
        switch progress[name] {
        case .waiting: waiting -= 1
        case .started: break
        case .ready, .failed, nil: return
        }
        progress[name] = .ready
        reach(name, &actions)
        for dependent in order.dependents(of: name) {
            guard case .waiting(let unmet) = progress[dependent] else { continue }
            progress[dependent] = .waiting(unmet: unmet - 1)
            startIfMet(dependent, &actions)
        }
    }

    /// A unit that is not started yet cannot fail: what happened to it belongs to someone else's start.
    private mutating func handleFailure(
        _ failure: StartFailure, of name: String, _ actions: inout [StartPlanAction]
    ) {
        guard case .started(let deaths) = progress[name] else { return }
        let reason = StartPlanFailure(unit: name, reason: .failed(failure))
        if failure.isForGood || deaths + 1 >= deathsLimit { return failForGood(reason, &actions) }
        progress[name] = .started(deaths: deaths + 1)
        answer(name, reason, &actions)
    }

    /// Fails a unit and all that wait for it, directly or not, with the reason of the first.
    private mutating func failForGood(_ failure: StartPlanFailure, _ actions: inout [StartPlanAction]) {
        var queue = [failure.unit]
        while let name = queue.popLast() {
            switch progress[name] {
            case .waiting: waiting -= 1
            case .started, .ready:
                // A unit further up that was started already goes its own way.
                if name != failure.unit { continue }
            case .failed, nil: continue
            }
            progress[name] = .failed(failure)
            answer(name, failure, &actions)
            queue.append(contentsOf: order.dependents(of: name).reversed())
        }
    }

    private mutating func answer(
        _ name: String, _ failure: StartPlanFailure, _ actions: inout [StartPlanAction]
    ) {
        if unanswered.remove(name) != nil { actions.append(.failed(name, failure)) }
    }
}

extension StartOutcome {
    fileprivate var isSuccess: Bool {
        switch self {
        case .spawned, .ready: true
        case .failed, .superseded: false
        }
    }
}

extension StartFailure {
    /// True when waiting for the unit has become pointless.
    var isForGood: Bool {
        switch self {
        case .blocked: true
        case .died(.notReady, _): true
        case .died(_, .restart): false
        case .died(_, .cool), .died(_, .stayDown), .died(_, .giveUp): true
        }
    }
}
