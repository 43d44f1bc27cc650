public import PMModel

extension UnitSnapshot {
    /// The snapshot with the last request for the unit. pmd writes a request into the ledger first, and then into the record of
    /// the child: one that was killed in between left a record of what was before.
    ///
    /// A stop begins once more, with the first signal of the stop sequence: the process gets that a second time if it got it
    /// before.
    public func catchingUp(with intent: UnitIntent?, at now: MonotonicTime) -> UnitSnapshot {
        switch intent {
        case .resting(let rest) where rest.incarnation > incarnation: superseded(by: rest)
        case .resting(let rest) where rest.incarnation == incarnation: resting(as: rest, at: now)
        case .renewing(incarnation): replacing(state.renewed(at: now))
        case .wanted: replacing(state.started(at: now))
        case .resting, .renewing, .awaiting, nil: self
        }
    }

    /// A later incarnation has come and gone, and left no record: this one is dead.
    private func superseded(by rest: UnitSnapshot) -> UnitSnapshot {
        var next = rest
        next.held = incarnation
        return next
    }

    /// It was stopped, or its death was decided upon; the tree may still be there.
    private func resting(as rest: UnitSnapshot, at now: MonotonicTime) -> UnitSnapshot {
        let next: Stopping.Next
        switch rest.state {
        case .down(.stopped): return replacing(state.stopped(at: now))
        case .down(.finished): next = .finish
        case .backingOff(let time): next = .restart(at: time)
        case .cooling(let time): next = .cool(until: time)
        case .down(.neverStarted), .starting, .up, .stopping: return self
        }
        guard case .up(let up) = state else { return self }
        var ending = replacing(.stopping(Stopping(up, .died, next: next, at: now)))
        (ending.history, ending.restarts) = (rest.history, rest.restarts)
        return ending
    }

    private func replacing(_ state: UnitState) -> UnitSnapshot {
        var other = self
        other.state = state
        return other
    }
}

extension UnitState {
    fileprivate func stopped(at now: MonotonicTime) -> UnitState {
        switch self {
        case .starting(var starting):
            starting.then = .stop
            return .starting(starting)
        case .up(let up): return .stopping(Stopping(up, .requested, next: .rest, at: now))
        case .stopping(var stopping):
            stopping.next = .rest
            return .stopping(stopping)
        case .down, .backingOff, .cooling: return .down(.stopped)
        }
    }

    fileprivate func renewed(at now: MonotonicTime) -> UnitState {
        switch self {
        case .starting(var starting):
            starting.then = .restart
            return .starting(starting)
        case .up(let up): return .stopping(Stopping(up, .requested, next: .start, at: now))
        case .stopping, .down, .backingOff, .cooling: return started(at: now)
        }
    }

    fileprivate func started(at now: MonotonicTime) -> UnitState {
        switch self {
        case .stopping(var stopping) where stopping.next == .rest:
            stopping.next = .start
            return .stopping(stopping)
        // Its time had come, or somebody started it.
        case .backingOff, .cooling: return .backingOff(until: now)
        case .down, .starting, .up, .stopping: return self
        }
    }
}
