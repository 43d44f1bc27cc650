import PMModel
import PMSupervisor

/// A machine with a clock that stands still unless it is told to go on.
struct Rig {
    var machine: UnitStateMachine
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    /// The timer as the performer would have it.
    var timer: (at: MonotonicTime, token: UInt64)?

    init(_ settings: UnitSettings = .plain, seed: UInt64 = 1) {
        machine = UnitStateMachine(settings: settings, seed: seed)
    }

    /// A machine made from what `other` would have saved, at its time.
    init(restoring other: Rig) {
        let snapshot = UnitSnapshot(decoding: other.machine.snapshot.encode())
        machine = UnitStateMachine(
            restoring: snapshot ?? other.machine.snapshot, settings: other.machine.settings, seed: 2)
        now = other.now
    }

    @discardableResult
    mutating func send(_ event: UnitEvent) -> [UnitAction] {
        let actions = machine.handle(event, at: now)
        for action in actions {
            if case .armTimer(let time, let token) = action { timer = (time, token) }
            if action == .cancelTimer { timer = nil }
        }
        return actions
    }

    @discardableResult
    mutating func request(_ request: UnitRequest) -> [UnitAction] { send(.request(request)) }

    /// Something that the present incarnation did.
    @discardableResult
    mutating func child(_ child: ChildEvent) -> [UnitAction] { send(.child(child, incarnation: machine.incarnation)) }

    @discardableResult
    mutating func exit(_ reason: ExitReason, _ leftovers: ExitReport.Leftovers = .none) -> [UnitAction] {
        child(.exited(ExitReport(reason: reason, leftovers: leftovers)))
    }

    mutating func pass(_ time: Duration) { now = now + time }

    /// Goes on to the moment of the armed timer and fires it; nothing where none is armed.
    @discardableResult
    mutating func fire() -> [UnitAction] {
        guard let armed = timer else { return [] }
        timer = nil
        now = max(now, armed.at)
        return send(.timerFired(token: armed.token))
    }

    /// Starts it until it is up, and ready if its check is `started`.
    mutating func start() {
        request(.up)
        child(.spawned(pid: 100))
    }

    /// Starts it until it is ready.
    mutating func serve() {
        start()
        child(.ready)
    }

    /// What is armed, for comparison.
    func arm(_ after: Duration) -> UnitAction { .armTimer(at: now + after, token: timer?.token ?? 0) }
}

extension UnitSettings {
    /// An ordinary program: ready by its start, SIGTERM and ten seconds, restarted on failure.
    static var plain: UnitSettings { UnitSettings() }

    /// A commandable service: ready by its word, ten seconds for open calls, `$stop`, then SIGTERM and ten seconds.
    static var draining: UnitSettings { UnitSettings(mapping: Mapping(container: "web"), isCommandable: true) }

    /// The same, which is stopped without time for open calls.
    static var service: UnitSettings {
        var settings = draining
        settings.drain = .zero
        return settings
    }

    func with(_ condition: RestartPolicy.Condition) -> UnitSettings {
        var settings = self
        settings.restart.condition = condition
        return settings
    }
}

extension ExitReason {
    static var clean: ExitReason { .exited(code: 0) }
    static var crash: ExitReason { .signaled(signal: 11, dumpedCore: false) }
    static var terminated: ExitReason { .signaled(signal: 15, dumpedCore: false) }
    static var killed: ExitReason { .signaled(signal: 9, dumpedCore: false) }
}

extension UnitAction {
    static func died(_ reason: ExitReason, _ then: RestartDecision) -> UnitAction {
        .startOutcome(.failed(.died(reason, then: then)))
    }

    static func death(
        _ incarnation: UInt64, _ reason: ExitReason, after uptime: Duration = .zero, requested: Bool = false
    ) -> UnitAction {
        .recordDeath(Death(incarnation: incarnation, reason: reason, uptime: uptime, wasRequested: requested))
    }
}
