public import PMModel

/// The record of a unit without a process tree in pm-init, for the daemon's successor: its wanted state, and else the
/// reason why it is down.
public enum UnitIntent: Equatable, Sendable {
    /// The unit shall run: it does, or it is to be started.
    case wanted
    /// The unit shall run. Somebody asked for a restart, and this incarnation of it is on its way out.
    case renewing(incarnation: UInt64)
    /// The unit shall run. This dependency went down: when it is ready again, the unit is restarted if it runs, else started.
    /// The snapshot is that of the unit when it is stopped.
    indirect case awaiting(Dependency, UnitSnapshot)
    /// The unit does not run; the snapshot has the reason and the time of the next try. Boxed, because most services
    /// run, and each of their entries would otherwise have the size of a snapshot.
    indirect case resting(UnitSnapshot)

    /// True when the unit shall run.
    public var isWanted: Bool {
        switch self {
        case .wanted, .renewing, .awaiting: true
        case .resting: false
        }
    }
}

extension UnitStateMachine {
    /// The intent for a successor; nil for a unit without a start.
    public var intent: UnitIntent? {
        switch state {
        case .down(.neverStarted): nil
        case .down, .backingOff, .cooling: .resting(snapshot)
        case .starting(let starting):
            switch starting.then {
            case .run: .wanted
            case .stop: resting(.down(.stopped))
            case .restart: .renewing(incarnation: starting.incarnation)
            }
        case .up: .wanted
        case .stopping(let stopping):
            switch stopping.next {
            case .start: .renewing(incarnation: stopping.incarnation)
            case .rest: resting(.down(.stopped))
            case .finish: resting(.down(.finished))
            case .restart(let time): resting(.backingOff(until: time))
            case .cool(let time): resting(.cooling(until: time))
            }
        }
    }

    /// The intent of a unit that waits until a dependency is ready again.
    func intent(awaiting dependency: Dependency) -> UnitIntent { .awaiting(dependency, snapshot(.down(.stopped))) }

    private func resting(_ state: UnitState) -> UnitIntent { .resting(snapshot(state)) }

    /// As it will be when the tree on its way out is gone.
    private func snapshot(_ state: UnitState) -> UnitSnapshot {
        var snapshot = snapshot
        snapshot.state = state
        snapshot.held = nil
        return snapshot
    }

    /// Goes on with a rest that an earlier daemon began: the time until the next try goes on as well.
    mutating func resume(_ turn: inout Transition) {
        switch state {
        case .backingOff(let time), .cooling(let time):
            if turn.now < time { arm(at: time, &turn) } else { restart(&turn) }
        case .down, .starting, .up, .stopping: break
        }
    }
}

extension Instance {
    /// Goes on with a rest that an earlier daemon has kept.
    func resume() { feed(.resumed) }

    /// True when its program did all that others wait for, and ended: a start that only goes on does not run it once more.
    var isDone: Bool { machine.state == .down(.finished) && machine.settings.readiness == .started }

    /// True when it is started again by itself, at a set time.
    var isTriedLater: Bool {
        switch machine.state {
        case .backingOff, .cooling: true
        case .down, .starting, .up, .stopping: false
        }
    }
}
