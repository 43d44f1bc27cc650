import PMModel
import PMSupervisor

/// Machines of several units that need each other, with a performer that starts and stops them by plans.
struct PlanSimulation {
    var random: JitterSource
    let needs: [String: [String]]
    let order: StartOrder
    var machines: [String: UnitStateMachine] = [:]
    var armed: [String: UInt64] = [:]
    /// Answers of the world that are under way.
    var pending: [(unit: String, event: UnitEvent)] = []
    var starts: [Int: StartPlan] = [:]
    var stops: [Int: StopPlan] = [:]
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var lastPlan = 0
    private var queue: [(unit: String, event: UnitEvent)] = []

    init(seed: UInt64) throws {
        random = JitterSource(seed: seed)
        let count = Int.random(in: 1...8, using: &random)
        var needs: [String: [String]] = [:]
        for unit in 0..<count {
            var mine: [String] = []
            for other in 0..<unit where Int.random(in: 0..<3, using: &random) == 0 { mine.append("u\(other)") }
            needs["u\(unit)"] = mine
        }
        self.needs = needs
        order = try StartOrder(needs)
        for name in order.names {
            var settings = UnitSettings.service
            settings.hasStopCommand = false
            settings.restart.condition = RestartPolicy.Condition.allCases.randomElement(using: &random) ?? .never
            machines[name] = UnitStateMachine(settings: settings, seed: random.next())
        }
    }

    // MARK: Driving

    mutating func run(steps: Int) throws {
        for _ in 0..<steps {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<3: try start()
            case 3: try stop()
            case 4:
                let name = anyone()
                try feed(name, .request(UnitRequest.allCases.randomElement(using: &random) ?? .up))
            default: try goOn()
            }
        }
        for _ in 0..<2_000 where !starts.isEmpty || !stops.isEmpty { try goOn() }
        guard starts.isEmpty else { throw Violation(rule: "every start is answered") }
        guard stops.isEmpty else { throw Violation(rule: "every stop is answered") }
    }

    private mutating func anyone() -> String { order.names.randomElement(using: &random) ?? "" }

    private mutating func start() throws {
        let targets = Set([anyone(), anyone()]).sorted()
        let order = try StartOrder(starting: targets) { needs[$0] }
        let plan = StartPlan(
            targets: targets, order: order, goal: random.next() % 2 == 0 ? .ready : .spawned,
            isReady: { machines[$0]?.isReady ?? false })
        lastPlan += 1
        starts[lastPlan] = plan
        try advance(lastPlan) { $0.start() }
    }

    private mutating func stop() throws {
        lastPlan += 1
        stops[lastPlan] = StopPlan(stopping: order.names.filter { _ in random.next() % 2 == 0 }, order: order)
        try advanceStop(lastPlan) { $0.start() }
    }

    /// An answer that is under way arrives, or a timer fires; always fewer of the former than of the latter.
    private mutating func goOn() throws {
        now = now + .milliseconds(Int.random(in: 1...500, using: &random))
        if !pending.isEmpty, random.next() % 8 != 0 {
            let (name, event) = pending.remove(at: 0)
            return try feed(name, event)
        }
        guard let (name, token) = armed.sorted(by: { $0.key < $1.key }).randomElement(using: &random) else { return }
        now = now + .seconds(30)
        armed[name] = nil
        try feed(name, .timerFired(token: token))
    }

    // MARK: Performing

    private mutating func feed(_ name: String, _ event: UnitEvent) throws {
        queue.append((name, event))
        guard queue.count == 1 else { return }
        while let (name, event) = queue.first {
            let actions = machines[name]?.handle(event, at: now) ?? []
            for action in actions { try perform(action, name) }
            queue.removeFirst()
        }
    }

    private mutating func perform(_ action: UnitAction, _ name: String) throws {
        switch action {
        case .spawn(let incarnation): live(name, incarnation)
        case .signalGroup, .sweepTree(9):
            answer(name, .exited(ExitReport(reason: .terminated)))
        case .armTimer(_, let token): armed[name] = token
        case .cancelTimer: armed[name] = nil
        case .becameUnready: for number in starts.keys.sorted() { starts[number]?.becameUnready(name) }
        case .startOutcome(let outcome):
            for number in starts.keys.sorted() { try advance(number) { $0.record(outcome, of: name) } }
        case .ended(let survivors):
            for number in stops.keys.sorted() { try advanceStop(number) { $0.ended(name, survivors: survivors) } }
        case .drain, .callStopCommand, .sweepTree, .beginReadiness, .endReadiness, .becameReady, .recordDeath, .forget,
            .stateChanged:
            break
        }
    }

    private mutating func answer(_ name: String, _ event: ChildEvent) {
        pending.append((name, .child(event, incarnation: machines[name]?.incarnation ?? 0)))
    }

    private mutating func live(_ name: String, _ incarnation: UInt64) {
        guard random.next() % 10 != 0 else { return answer(name, .spawnFailed(.exec)) }
        answer(name, .spawned(pid: 1))
        if random.next() % 10 < 7 { answer(name, .ready) }
        if random.next() % 10 < 3 { answer(name, .exited(ExitReport(reason: .crash))) }
    }

    private mutating func advance(_ number: Int, _ move: (inout StartPlan) -> [StartPlanAction]) throws {
        guard var plan = starts[number] else { return }
        let actions = move(&plan)
        starts[number] = plan.isDone ? nil : plan
        for case .start(let name) in actions {
            // What was ready when the plan decided may have been told otherwise, but not yet have come this far.
            let unready = (needs[name] ?? []).filter { machines[$0]?.isReady != true }
            guard unready.isEmpty else { throw Violation(rule: "\(name) is started without \(unready)") }
            try feed(name, .request(.up))
        }
    }

    private mutating func advanceStop(_ number: Int, _ move: (inout StopPlan) -> [StopPlanAction]) throws {
        guard var plan = stops[number] else { return }
        let actions = move(&plan)
        stops[number] = plan.isDone ? nil : plan
        for case .stop(let name) in actions { try feed(name, .request(.down)) }
    }
}
