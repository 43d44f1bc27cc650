import PMModel
import PMSystem

/// A start that somebody waits for.
struct PendingStart {
    /// The settings of a plan that its actions need: not the plan itself, which is changed in place as long as nothing
    /// else refers to it.
    struct Order {
        let target: String
        /// True when the target is stopped first, if it runs.
        let isRestart: Bool
        let origin: StartRequest.Origin
        /// Starts it once more, when what it needs is there; nil: it is not wanted any more when it fails.
        let again: (@PMActor () -> Void)?
        let answer: @PMActor (Result<Void, StartProblem>) -> Void
    }

    var plan: StartPlan
    let order: Order
}

/// A stop that somebody waits for.
struct PendingStop {
    var plan: StopPlan
    let answer: @PMActor ([Survivors]) -> Void
}

/// Why a unit did not start.
public struct StartProblem: Error, Equatable, Sendable {
    /// The unit that failed: the one that was asked for, or one that it needs.
    public let unit: String
    /// Cause of the failure.
    public let reason: StartPlanFailure.Reason
    /// The last lines of its output.
    public let output: [String]
    /// What its readiness check saw last; nil: nothing, or the reason is another one.
    public var seen: String?
}

/// A unit of which processes outlive every SIGKILL.
public struct Survivors: Equatable, Sendable {
    /// Name of the unit.
    public let unit: String
    /// The number of processes.
    public let count: UInt32
}

/// The unit to start, and the state that it has to reach.
public struct StartRequest: Sendable {
    /// Name of the unit.
    public var unit: String
    /// The state that it has to reach before the answer.
    public var goal: StartPlan.Goal
    /// True when a running one is stopped first.
    public var isRestart: Bool
    /// Additions of this start to the configuration; nil: those of the last start.
    public var options: RunOptions?
    /// Origin of the request.
    public var origin = Origin.caller

    /// Origin of a request to run.
    public enum Origin: Sendable {
        /// A caller, who gets the result: when the start fails, the unit is not wanted any more.
        case caller
        /// The configuration. It goes on to be wanted, whatever happens to what it needs.
        case configuration
        /// An earlier daemon. What it left in a rest of its own is not hurried by that.
        case predecessor
    }

    /// Wishes for a unit to run.
    public init(_ unit: String, goal: StartPlan.Goal) {
        self.unit = unit
        self.goal = goal
        isRestart = false
    }
}

extension Supervisor {
    /// The number of deaths of a unit through which its dependents wait.
    private static let deathsLimit = 3

    /// Starts a unit and all that it needs, and answers when it has come as far as was asked.
    ///
    /// - Parameter find: looks a unit up in the configuration; nil when there is none.
    /// - Throws: `StartOrderError` when something it needs does not exist, or in a circle.
    public func start(
        _ request: StartRequest, _ find: @escaping (String) -> Unit?,
        _ answer: @escaping @PMActor (Result<Void, StartProblem>) -> Void
    ) throws(StartOrderError) {
        _ = unschedule(request.unit)
        let again = again(request, find, answer)
        stopWaiting(request)
        let order: StartOrder
        let units: [String: Unit]
        do throws(StartOrderError) {
            (order, units) = try Self.order(of: request.unit, find)
        } catch {
            if let again { waiting.add(request.unit, .order(error), again: again) }
            throw error
        }
        if request.origin != .predecessor { hastenStops(of: order.names) }
        for name in order.names {
            if let unit = units[name] { instance(of: unit).stopOrder = order.stopOrder(of: name) }
        }
        if let options = request.options { instances[request.unit]?.options = options }
        if waiting.reason(of: request.unit) == nil { remember(request.unit, .wanted) }
        if let problem = stoppedDependency(of: request, order) {
            if let again { wait(request.unit, after: problem, again: again) }
            return answer(.failure(problem))
        }
        var plan = StartPlan(targets: [request.unit], order: order, goal: request.goal) { name in
            guard let instance = instances[name] else { return false }
            return instance.isReady || (request.origin == .predecessor && name != request.unit && instance.isDone)
        }
        plan.deathsLimit = Self.deathsLimit
        plan.renewsTargets = request.isRestart
        let request = PendingStart(
            plan: plan,
            order: PendingStart.Order(
                target: request.unit, isRestart: request.isRestart, origin: request.origin, again: again, answer: answer
            ))
        advance(starts.add(request, for: order.names)) { $0.start() }
    }

    /// What is to be stopped, and waits for others to be stopped before, is stopped now: a stop and then a start is a restart.
    private func hastenStops(of names: [String]) {
        for name in names {
            for number in stops.interested(in: name) { advanceStop(number) { $0.hasten(name) } }
        }
    }

    /// A unit that runs, and is to be restarted when a dependency is ready again, still is when somebody starts it.
    private func stopWaiting(_ request: StartRequest) {
        if !request.isRestart, case .wentDown = waiting.reason(of: request.unit), isActive(request.unit) { return }
        waiting.remove(request.unit)
    }

    /// A dependency that somebody stopped: what only goes on does not start it.
    private func stoppedDependency(of request: StartRequest, _ order: StartOrder) -> StartProblem? {
        guard request.origin == .predecessor else { return nil }
        let stopped = order.names.first { name in
            name != request.unit && instances[name]?.machine.state == .down(.stopped) && !isWaiting(name)
        }
        return stopped.map { StartProblem(unit: $0, reason: .stopped, output: []) }
    }

    /// Looks whether a unit can be started in any order.
    ///
    /// - Throws: `StartOrderError` when something it needs does not exist, or in a circle.
    public func checkOrder(of name: String, _ find: (String) -> Unit?) throws(StartOrderError) {
        _ = try Self.order(of: name, find)
    }

    private static func order(
        of name: String, _ find: (String) -> Unit?
    ) throws(StartOrderError) -> (StartOrder, [String: Unit]) {
        var units: [String: Unit] = [:]
        let order = try StartOrder(starting: [name]) { name in
            guard let unit = find(name) else { return nil }
            units[name] = unit
            return unit.definition.dependencies
        }
        return (order, units)
    }

    /// Starts a unit again that stays wanted.
    private func again(
        _ request: StartRequest, _ find: @escaping (String) -> Unit?,
        _ answer: @escaping @PMActor (Result<Void, StartProblem>) -> Void
    ) -> (@PMActor () -> Void)? {
        // One that waits is wanted already: a caller who asks for more, and does not get it, takes nothing away.
        let isOfCaller = request.origin == .caller
        guard !isOfCaller || waiting.reason(of: request.unit) != nil else { return nil }
        var request = request
        request.origin = .predecessor
        return { [weak self] in
            // What is wrong with the order is the reason why it waits on. A caller has had the answer.
            try? self?.start(request, find) { result in
                if !isOfCaller { answer(result) }
            }
        }
    }

    /// The configuration is another one: what was missing in it may be there.
    public func configurationChanged() {
        for unit in waiting.takeThoseOfConfiguration() { enqueue(unit.again) }
        performWork()
    }

    /// Stops units, each before what it needs, and answers when their trees are gone. Units that are not to run without them
    /// are stopped first, and wait.
    public func stop(_ names: [String], _ find: (String) -> Unit?, _ answer: @escaping @PMActor ([Survivors]) -> Void) {
        stop(names, holding: [], find, answer)
    }

    /// - Parameter waits: those of `names` that wait then, and are still wanted.
    func stop(
        _ names: [String], holding waits: [DependentRules.Wait], _ find: (String) -> Unit?,
        _ answer: @escaping @PMActor ([Survivors]) -> Void
    ) {
        let dependents = dependentsToStop(before: names)
        for name in names {
            _ = unschedule(name)
            waiting.remove(name)
        }
        let names = names + dependents.map(\.unit)
        let held = waits + dependents
        for wait in held { self.wait(wait.unit, for: wait.dependency) }
        let known = Set(names)
        // What they needed when they were started; it may be gone from the configuration by now.
        var needs: [String: [String]] = [:]
        for name in names {
            let unit = instances[name]?.unit ?? find(name)
            needs[name] = (unit?.definition.dependencies ?? []).filter(known.contains)
        }
        // With a circle written into the configuration since the start there is no order to keep.
        guard let order = (try? StartOrder(needs)) ?? StartOrder.unordered(names) else { return answer([]) }
        let request = PendingStop(plan: StopPlan(stopping: names, order: order)) { [self] survivors in
            answer(survivors)
            stopped(held)
        }
        advanceStop(stops.add(request, for: names)) { $0.start() }
    }

    /// Ends units by SIGKILL at once, without their stop sequences and without the order of a stop under way.
    public func kill(_ names: [String]) {
        for name in names { instances[name]?.request(.kill) }
        performWork()
    }

    /// The units that run or are to run again.
    public var active: [String] {
        instances.values.filter(Self.runs).map(\.name).sorted()
    }

    /// The instances of one unit that run or are to run again, the first one included; other units are not searched.
    public func active(of unit: String) -> [String] {
        instances(of: unit).filter { instances[$0].map(Self.runs) ?? false }
    }

    /// The instances of one unit that this daemon or an earlier one has started.
    public func instances(of unit: String) -> [String] { (instancesOfUnit[unit] ?? []).sorted() }

    private static func runs(_ instance: Instance) -> Bool {
        let machine = instance.machine
        return machine.desired == .up || machine.pid != nil || machine.survivors > 0
    }

    // MARK: what instances tell

    func startOutcome(_ outcome: StartOutcome, of instance: Instance) {
        if case .failed(.died(let reason, let decision)) = outcome {
            observer?.decided(decision, about: instance.name, after: reason)
        }
        for number in starts.interested(in: instance.name) {
            advance(number) { $0.record(outcome, of: instance.name) }
        }
    }

    func becameUnready(_ name: String) {
        for number in starts.interested(in: name) { starts.change(number) { $0.plan.becameUnready(name) } }
    }

    func ended(_ instance: Instance, survivors: UInt32) {
        if instance.machine.phase == .down { sockets.release(instance.name) }
        for number in stops.interested(in: instance.name) {
            advanceStop(number) { $0.ended(instance.name, survivors: survivors) }
        }
    }

    /// Fails every start that is under way, because everything is to stop.
    public func cancelStarts() {
        unscheduleAll()
        for number in starts.all { advance(number) { $0.cancel() } }
    }

    // MARK: performing plans

    /// Moves a plan on; it is stored before its actions are performed, because those lead to more of its events.
    private func advance(_ number: UInt64, _ move: (inout StartPlan) -> [StartPlanAction]) {
        let step = starts.change(number) { request in
            (actions: move(&request.plan), isDone: request.plan.isDone, order: request.order)
        }
        guard let step else { return }
        if step.isDone { starts[number] = nil }
        for action in step.actions { enqueue { [self] in perform(action, for: step.order) } }
        performWork()
    }

    private func perform(_ action: StartPlanAction, for order: PendingStart.Order) {
        switch action {
        case .start(let name):
            let isRestart = order.isRestart && name == order.target
            guard let instance = instances[name], order.origin != .predecessor || !instance.isTriedLater else { return }
            instance.request(isRestart ? .restart : .up)
        case .reached: order.answer(.success(()))
        case .failed(let target, let failure):
            let output = instances[failure.unit]?.finalOutput() ?? []
            let problem = StartProblem(
                unit: failure.unit, reason: failure.reason, output: output,
                seen: instances[failure.unit]?.seenByReadiness)
            if let again = order.again, failure.unit != target {
                wait(target, after: problem, again: again)
            } else if waiting.reason(of: target) == nil {
                rememberState(of: target)
            }
            order.answer(.failure(problem))
        }
    }

    private func advanceStop(_ number: UInt64, _ move: (inout StopPlan) -> [StopPlanAction]) {
        let step = stops.change(number) { request in
            (actions: move(&request.plan), isDone: request.plan.isDone, answer: request.answer)
        }
        guard let step else { return }
        if step.isDone { stops[number] = nil }
        for action in step.actions { enqueue { [self] in perform(action, step.answer) } }
        performWork()
    }

    private func perform(_ action: StopPlanAction, _ answer: @PMActor ([Survivors]) -> Void) {
        switch action {
        case .stop(let name):
            instances[name]?.request(.down)
            // A plan that waits for what it needs may have been all that wanted it.
            rememberState(of: name)
        case .done(let survivors): answer(survivors.map { Survivors(unit: $0.unit, count: $0.count) })
        }
    }
}

extension StartOrder {
    /// No order at all: every unit on one level.
    fileprivate static func unordered(_ names: [String]) -> StartOrder? {
        // Units that need nothing cannot form a circle.
        try? StartOrder(Dictionary(names.map { ($0, []) }) { first, _ in first })
    }
}
