import PMModel
import PMSupervisor

/// One machine, a performer as dumb as the real one, its callers, and the world; driven at random from one seed.
struct Simulation {
    /// What happened, to be printed when a rule is broken.
    enum Step {
        case handled(UnitEvent, at: MonotonicTime, [UnitAction])
        case daemonDied
        case initDied
        case rebooted
    }

    var world: World
    var machine: UnitStateMachine
    let settings: UnitSettings
    var timer: (at: MonotonicTime, token: UInt64)?
    var oldTokens: [UInt64] = []
    var isProbing = false
    /// The incarnation whose start has a process.
    var launched: UInt64?
    var isReady = false
    var startsForReady = 0
    var startsForSpawn = 0
    var stops = 0
    var lastWish: MonotonicTime
    /// What the daemon has written for its successors.
    var ledger: UnitIntent?
    /// The meaning of the last request that was written; nil: none since the machine started.
    var isWanted: Bool?
    /// The incarnation that somebody has asked to stop or to restart while it ran.
    var stopRequested: UInt64?
    var lastSpawned: UInt64 = 0
    /// Actions that are still performed before the daemon dies; nil: it lives.
    var diesAfter: Int?
    /// A daemon that died may have done things that it did not save.
    var isAfterCrash = false
    var trace: [Step] = []
    var phases: Set<UnitPhase> = []

    init(seed: UInt64) {
        world = World(seed: seed)
        settings = Self.settings(&world)
        machine = UnitStateMachine(settings: settings, seed: seed)
        lastWish = world.now
    }

    private static func settings(_ world: inout World) -> UnitSettings {
        var settings = world.chance(60) ? UnitSettings.service : .plain
        settings.restart.condition = world.chance(40) ? .always : world.chance(80) ? .onFailure : .never
        settings.stop = StopSequence(
            steps: [StopStep(signal: 15, wait: .seconds(2)), StopStep(signal: 2, wait: .seconds(1))])
        settings.readyDeadline = .seconds(3)
        settings.drain = settings.hasStopCommand && world.chance(70) ? .seconds(2) : .zero
        if world.chance(50) { settings.restart.limit = 3 }
        return settings
    }

    // MARK: Driving

    /// A whole life: requests and accidents at random, then quiet, then a stop, then nothing more.
    mutating func run(steps: Int) throws {
        for _ in 0..<steps { try step() }
        diesAfter = nil
        try settle(until: lastWish + Bounds.start + .seconds(1))
        try request(.down)
        try settle(until: lastWish + Bounds.stop + .seconds(1))
        try checkEnd()
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &world.random) {
        case 0..<14: try request(.up)
        case 14..<24: try request(.down)
        case 24..<30: try request(.restart)
        case 30..<34: try fireOldTimer()
        case 34..<37: try stray()
        case 37..<40: diesAfter = Int.random(in: 0...4, using: &world.random)
        case 40..<42: try daemonDies()
        case 42..<43: try initDies(reboots: world.chance(20))
        case 43..<45: standStill()
        case 45..<48: try failLiveness()
        default: try goOn()
        }
    }

    mutating func request(_ request: UnitRequest) throws {
        switch request {
        case .down, .kill: stops += 1
        case .up, .restart: if world.chance(50) { startsForReady += 1 } else { startsForSpawn += 1 }
        }
        lastWish = world.now
        try handle(.request(request))
    }

    /// What comes next in time: the timer, or something in the world.
    mutating func goOn() throws {
        if let timer, timer.at <= (world.nextTime ?? timer.at) {
            self.timer = nil
            world.now = max(world.now, timer.at)
            oldTokens.append(timer.token)
            return try handle(.timerFired(token: timer.token))
        }
        guard world.nextTime != nil else { return world.now = world.now + world.time(0...1_000) }
        switch world.readNext() {
        case .message(let event, let incarnation):
            if case .spawnFailed = event { world.drop(incarnation) }
            try handle(.child(event, incarnation: incarnation))
        case .start(let incarnation): world.endStart(incarnation)
        case .call(let event, let incarnation):
            guard event != .ready || (isProbing && world.records[incarnation]?.exit == nil) else { return }
            try handle(.child(event, incarnation: incarnation))
        case .end(let process, let incarnation, let reason): world.endProcess(process, incarnation, reason)
        }
    }

    mutating func settle(until end: MonotonicTime) throws {
        var left = 2_000
        while let next = [timer?.at, world.nextTime].compactMap({ $0 }).min(), next <= end {
            try goOn()
            left -= 1
            guard left > 0 else { throw Violation(rule: "it comes to rest") }
        }
        world.now = max(world.now, end)
        try checkAnswers()
    }

    /// The daemon or the whole machine stands still: everything is late by so much, answers too.
    private mutating func standStill() {
        let pause = world.time(0...3_000)
        world.now = world.now + pause
        lastWish = lastWish + pause
    }

    /// The liveness check fails, at a moment of its own.
    private mutating func failLiveness() throws {
        let response = LivenessResponse.allCases.randomElement(using: &world.random) ?? .restart
        let event = ChildEvent.unresponsive(response, seen: "no answer")
        try handle(.child(event, incarnation: machine.incarnation))
    }

    private mutating func fireOldTimer() throws {
        guard let token = oldTokens.randomElement(using: &world.random) else { return }
        let before = machine
        try handle(.timerFired(token: token))
        if machine != before { throw Violation(rule: "a timer that is not armed changes nothing") }
    }

    /// Something of an incarnation that is long gone, or never was.
    private mutating func stray() throws {
        let incarnation = world.chance(50) ? machine.incarnation + 1 : machine.incarnation &- 1
        let event: ChildEvent = world.chance(50) ? .exited(ExitReport(reason: .crash)) : .treeReport(survivors: 0)
        let before = machine
        try handle(.child(event, incarnation: incarnation))
        if machine != before { throw Violation(rule: "another incarnation changes nothing") }
    }

    // MARK: Performing

    mutating func handle(_ event: UnitEvent) throws {
        if machine.phase == .up, [.request(.down), .request(.restart)].contains(event) {
            stopRequested = machine.incarnation
        }
        let actions = machine.handle(event, at: world.now)
        trace.append(.handled(event, at: world.now, actions))
        phases.insert(machine.phase)
        noteLaunch(event)
        if case .request(let request) = event { isWanted = request == .up || request == .restart }
        if actions.last == .stateChanged { ledger = machine.intent }
        for action in actions {
            if let left = diesAfter {
                guard left > 0 else { return try daemonDies() }
                diesAfter = left - 1
            }
            try perform(action)
        }
        try check(actions)
    }

    private mutating func noteLaunch(_ event: UnitEvent) {
        switch event {
        case .child(.starting, let incarnation): launched = incarnation
        case .adopted(.starting): launched = machine.incarnation
        case .request, .timerFired, .child, .adopted, .resumed: break
        }
    }

    private mutating func perform(_ action: UnitAction) throws {
        switch action {
        case .spawn(let incarnation): try spawn(incarnation)
        case .drain: world.drain(machine.incarnation)
        case .callStopCommand: world.callStop(machine.incarnation)
        case .signalGroup: world.signalGroup(machine.incarnation)
        case .sweepTree(let signal): world.sweep(signal, machine.incarnation)
        case .armTimer(let time, let token):
            if let timer { oldTokens.append(timer.token) }
            timer = (time, token)
        case .cancelTimer: try cancelTimer()
        case .beginReadiness, .endReadiness: try probe(action == .beginReadiness)
        case .becameReady, .becameUnready: try change(isReady: action == .becameReady)
        case .recordDeath(let death):
            guard death.incarnation == stopRequested else { break }
            stopRequested = nil
            guard death.wasRequested else { throw Violation(rule: "the end of a requested stop is no crash") }
        case .startOutcome(let outcome): answerStarts(outcome)
        case .ended(let survivors): try answerStops(survivors)
        case .forget(let incarnation): try forget(incarnation)
        case .stateChanged: world.records[machine.snapshot.record]?.state = machine.snapshot.encode()
        }
    }

    private mutating func spawn(_ incarnation: UInt64) throws {
        guard world.records.values.allSatisfy({ $0.living == 0 }) else {
            throw Violation(rule: "never two incarnations")
        }
        guard incarnation > lastSpawned || isAfterCrash else { throw Violation(rule: "incarnations count upwards") }
        lastSpawned = incarnation
        world.spawn(incarnation)
    }

    private mutating func cancelTimer() throws {
        guard let armed = timer else { throw Violation(rule: "only an armed timer is cancelled") }
        oldTokens.append(armed.token)
        timer = nil
    }

    private mutating func probe(_ isOn: Bool) throws {
        guard isProbing != isOn else { throw Violation(rule: "readiness checks begin and end in turn") }
        isProbing = isOn
    }

    private mutating func change(isReady: Bool) throws {
        guard self.isReady != isReady else { throw Violation(rule: "readiness changes in turn") }
        self.isReady = isReady
    }

    private mutating func answerStarts(_ outcome: StartOutcome) {
        startsForSpawn = 0
        if outcome != .spawned { startsForReady = 0 }
    }

    private mutating func answerStops(_ survivors: UInt32) throws {
        if survivors == 0, let record = world.records[machine.incarnation], record.living > 0 {
            throw Violation(rule: "a stop is done when the tree is empty")
        }
        stops = 0
    }

    private mutating func forget(_ incarnation: UInt64) throws {
        guard let record = world.records[incarnation] else {
            if isAfterCrash { return }
            throw Violation(rule: "only what is held is forgotten")
        }
        guard record.exit != nil else { throw Violation(rule: "only the dead are forgotten") }
        world.drop(incarnation)
    }

    // MARK: The daemon dies

    mutating func daemonDies() throws {
        trace.append(.daemonDied)
        diesAfter = nil
        isAfterCrash = true
        forgetDaemon()
        let back = world.now + world.time(0...3_000)
        while let next = world.nextTime, next <= back {
            switch world.readNext() {
            case .end(let process, let incarnation, let reason): world.endProcess(process, incarnation, reason)
            case .start(let incarnation): world.endStart(incarnation)
            case .message, .call: break
            }
        }
        world.now = back
        world.dropMessages()
        lastWish = world.now
        try adopt()
    }

    /// pm-init is killed, and with it the daemon and all processes; perhaps the machine starts again.
    private mutating func initDies(reboots: Bool) throws {
        trace.append(reboots ? .rebooted : .initDied)
        diesAfter = nil
        isAfterCrash = true
        forgetDaemon()
        for incarnation in world.records.keys { world.drop(incarnation) }
        world.now = world.now + world.time(0...3_000)
        world.dropMessages()
        lastWish = world.now
        if reboots { (ledger, isWanted) = (nil, nil) }
        try adopt()
    }

    private mutating func forgetDaemon() {
        (timer, isProbing, isReady, launched) = (nil, false, false, nil)
        (startsForReady, startsForSpawn, stops) = (0, 0, 0)
        oldTokens = []
    }

    /// The new daemon ends what has no snapshot, goes on with the newest that has one, and forgets older ones.
    private mutating func adopt() throws {
        for (incarnation, record) in world.records where record.state == nil { world.drop(incarnation) }
        let seed = world.random.next()
        guard let newest = world.records.keys.max(), let record = world.records[newest], let bytes = record.state
        else { return try adoptNothing(seed) }
        guard let saved = UnitSnapshot(decoding: bytes) else { throw Violation(rule: "a snapshot is readable") }
        let snapshot = saved.catchingUp(with: ledger, at: world.now)
        for old in world.records.keys where old != newest && old != snapshot.held { world.drop(old) }
        machine = UnitStateMachine(restoring: snapshot, settings: settings, seed: seed)
        lastSpawned = machine.incarnation
        if var report = record.exit {
            report.leftovers = record.living > 0 ? .maybe : .none
            try handle(.adopted(.exited(report)))
        } else if record.start == .done {
            try handle(.adopted(.running(pid: record.pid)))
        } else {
            try handle(.adopted(.starting(pid: record.pid)))
            if record.start == .failed { world.tell(.spawnFailed(.chdir), newest) }
        }
        try startWanted()
    }

    /// pm-init has no child of the unit: it goes on as the ledger says.
    private mutating func adoptNothing(_ seed: UInt64) throws {
        stopRequested = nil
        switch ledger {
        case .resting(let snapshot), .awaiting(_, let snapshot):
            machine = UnitStateMachine(restoring: snapshot, settings: settings, seed: seed)
            lastSpawned = machine.incarnation
            let before = machine.state
            try handle(.resumed)
            if case .down = before, machine.state != before { throw Violation(rule: "what is done is not done again") }
        case .wanted, .renewing, nil:
            machine = UnitStateMachine(settings: settings, seed: seed)
            lastSpawned = 0
            try startWanted()
        }
    }

    /// A plan starts a unit that is to run, and does not.
    private mutating func startWanted() throws {
        guard ledger?.isWanted ?? false, machine.phase == .down, machine.state != .down(.finished) else { return }
        try handle(.request(.up))
    }
}
