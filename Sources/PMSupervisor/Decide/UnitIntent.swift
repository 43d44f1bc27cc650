import PMModel

/// What the successor of a daemon must know of a unit whose process tree pm-init does not tell of: whether it shall run, and
/// else how it came to rest.
public enum UnitIntent: Equatable, Sendable {
    /// It shall run: it does, or it is to be started.
    case wanted
    /// It does not run, and this is why, and until when. Boxed, because most services run: a place for it would be of the size
    /// of a snapshot in each of their entries.
    indirect case resting(UnitSnapshot)
}

extension UnitStateMachine {
    /// What a successor must know; nil of a unit that nobody has started.
    public var intent: UnitIntent? {
        switch state {
        case .down(.neverStarted): nil
        case .down, .backingOff, .cooling: .resting(snapshot)
        case .starting(let starting): starting.then == .stop ? resting(.down(.stopped)) : .wanted
        case .up: .wanted
        case .stopping(let stopping):
            switch stopping.next {
            case .start: .wanted
            case .rest: resting(.down(.stopped))
            case .finish: resting(.down(.finished))
            case .restart(let time): resting(.backingOff(until: time))
            case .cool(let time): resting(.cooling(until: time))
            }
        }
    }

    /// As it will be when the tree on its way out is gone.
    private func resting(_ state: UnitState) -> UnitIntent {
        var snapshot = snapshot
        snapshot.state = state
        snapshot.held = nil
        return .resting(snapshot)
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

    /// Whether it is started again by itself, at a time that is set.
    var isTriedLater: Bool {
        switch machine.state {
        case .backingOff, .cooling: true
        case .down, .starting, .up, .stopping: false
        }
    }
}
