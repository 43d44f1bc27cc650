public import PMModel

/// Decides everything about one instance of a unit: an event goes in, the actions to perform come out.
///
/// It is a plain value. It reads no clock, does no I/O and takes constant time and space per event. At most one
/// incarnation exists at a time: `spawn` is only ever asked for when the tree of the one before is known to be gone.
public struct UnitStateMachine: Equatable, Sendable {
    /// State of the unit.
    public internal(set) var state: UnitState
    /// The present or last incarnation; 0 before the first start.
    public internal(set) var incarnation: UInt64 = 0
    /// Restarts nobody asked for since the last start that somebody asked for.
    public internal(set) var restarts: UInt32 = 0
    /// The last deaths, and their meaning for the next one.
    public internal(set) var history = RestartHistory()
    /// The dead incarnation whose record pm-init still keeps, because its snapshot lives there.
    public internal(set) var held: UInt64?
    /// The unit's configuration; a new one counts from the next event on.
    public var settings: UnitSettings

    /// The process of a start that is under way: its timer is armed, and then it is killed.
    struct Launch: Equatable {
        let pid: Int32
        let at: MonotonicTime
    }

    /// Not in the snapshot: pm-init tells it to the next daemon.
    var launch: Launch?
    /// What the liveness check saw of the process that is being ended for it. Not in the snapshot: the next daemon tells the
    /// reason without it.
    var lastSeen = ""
    var jitter: JitterSource
    var timer: UInt64?
    var lastToken: UInt64 = 0

    /// An instance that was never started. The seed decides the jitter of its backoff.
    public init(settings: UnitSettings, seed: UInt64) {
        self.settings = settings
        state = .down(.neverStarted)
        jitter = JitterSource(seed: seed)
    }

    /// Takes one event and returns what is to be done, in order.
    public mutating func handle(_ event: UnitEvent, at now: MonotonicTime) -> [UnitAction] {
        let before = snapshot
        var transition = Transition(now: now)
        switch event {
        case .request(let request): handle(request, &transition)
        case .timerFired(let token): handleTimer(token, &transition)
        case .child(let child, let incarnation):
            if incarnation == self.incarnation { handle(child, &transition) }
        case .adopted(let child): adopt(child, &transition)
        case .resumed: resume(&transition)
        }
        precondition(hasOneTimer, "a unit waits for a time that never comes, or for one that means nothing")
        if snapshot != before { transition.actions.append(.stateChanged) }
        return transition.actions
    }

    /// True when the timer is armed exactly in the states that end at a time.
    private var hasOneTimer: Bool {
        switch state {
        case .down: timer == nil && launch == nil
        case .starting: (timer != nil) == (launch != nil)
        case .up(let up): (timer != nil) == !up.isReady && launch == nil
        case .stopping, .backingOff, .cooling: timer != nil && launch == nil
        }
    }
}

/// One event being handled: its time, and the actions gathered so far.
struct Transition {
    let now: MonotonicTime
    var actions: [UnitAction] = []

    mutating func act(_ action: UnitAction) {
        actions.append(action)
    }
}

extension UnitStateMachine {
    /// The wanted state.
    public var desired: Desired {
        switch state {
        case .down(let rest): rest == .finished ? .up : .down
        case .starting(let starting): starting.then == .stop ? .down : .up
        case .up, .backingOff, .cooling: .up
        case .stopping(let stopping): stopping.next == .rest ? .down : .up
        }
    }

    /// The phase: one word for people.
    public var phase: UnitPhase {
        switch state {
        case .down: .down
        case .starting: .starting
        case .up: .up
        case .backingOff: .backingOff
        case .cooling: .cooling
        case .stopping(let stopping):
            stopping.step == .stuck ? .stuck : stopping.cause == .died ? .sweeping : .stopping
        }
    }

    /// True while the unit serves; false as soon as its process ends or a stop is requested.
    public var isReady: Bool {
        if case .up(let up) = state { up.isReady } else { false }
    }

    /// The process ID of the running leader.
    public var pid: Int32? {
        switch state {
        case .up(let up): up.pid
        case .stopping(let stopping): if case .alive(let pid, _) = stopping.leader { pid } else { nil }
        case .down, .starting, .backingOff, .cooling: nil
        }
    }

    /// When the running leader was executed.
    public var startedAt: MonotonicTime? {
        switch state {
        case .up(let up): up.startedAt
        case .stopping(let stopping): if case .alive(_, let startedAt) = stopping.leader { startedAt } else { nil }
        case .down, .starting, .backingOff, .cooling: nil
        }
    }

    /// The number of processes that survive every SIGKILL; 0 unless stuck.
    public var survivors: UInt32 {
        if case .stopping(let stopping) = state, stopping.step == .stuck { stopping.survivors } else { 0 }
    }
}

// MARK: - Timer

extension UnitStateMachine {
    /// Arms the one timer, replacing an earlier one.
    mutating func arm(at time: MonotonicTime, _ transition: inout Transition) {
        lastToken += 1
        timer = lastToken
        transition.act(.armTimer(at: time, token: lastToken))
    }

    /// Disarms the timer, if it is armed.
    mutating func disarm(_ transition: inout Transition) {
        guard timer != nil else { return }
        timer = nil
        transition.act(.cancelTimer)
    }

    /// A fired timer; one that was replaced or disarmed meanwhile means nothing.
    private mutating func handleTimer(_ token: UInt64, _ transition: inout Transition) {
        guard token == timer else { return }
        timer = nil
        switch state {
        case .up(let up): missReadiness(up, &transition)
        case .stopping(let stopping): handleTimer(stopping, &transition)
        case .backingOff, .cooling: restart(&transition)
        case .starting(let starting): missStart(starting, &transition)
        case .down: break
        }
    }
}
