import PMModel

extension UnitStateMachine {
    /// What has to outlive the daemon; kept in pm-init's record of the present or last child.
    public var snapshot: UnitSnapshot {
        UnitSnapshot(state: state, incarnation: incarnation, restarts: restarts, held: held, history: history)
    }

    /// Goes on where an earlier daemon stopped; the event `adopted` must follow, with the child that has the snapshot.
    public init(restoring snapshot: UnitSnapshot, settings: UnitSettings, seed: UInt64) {
        self.init(settings: settings, seed: seed)
        state = snapshot.state
        incarnation = snapshot.incarnation
        restarts = snapshot.restarts
        held = snapshot.held
        history = snapshot.history
    }

    /// Compares what an earlier daemon knew with what is, and catches up.
    mutating func adopt(_ child: AdoptedChild, _ turn: inout Turn) {
        switch child {
        case .starting(let pid): adoptStarting(pid: pid, &turn)
        case .running(let pid): adoptRunning(pid: pid, &turn)
        case .exited(let report): adoptExited(report, &turn)
        }
    }

    private mutating func adoptStarting(pid: Int32, _ turn: inout Turn) {
        switch state {
        case .starting(let starting): beginLaunch(starting, pid: pid, &turn)
        // It was up only after its start had come to an end.
        case .up: sweep(next: .start, &turn)
        case .ending, .down, .backingOff, .cooling: adoptRunning(pid: pid, &turn)
        }
    }

    private mutating func adoptRunning(pid: Int32, _ turn: inout Turn) {
        switch state {
        case .starting: take(.spawned(pid: pid), &turn)
        case .up(let up): resume(up, &turn)
        case .ending(let ending): resume(ending, &turn)
        // No daemon leaves such a pair; whatever it is, it must not run beside a new incarnation.
        case .down: sweep(next: .rest, &turn)
        case .backingOff(let time): sweep(next: .restart(at: time), &turn)
        case .cooling(let time): sweep(next: .cool(until: time), &turn)
        }
    }

    private mutating func adoptExited(_ report: ExitReport, _ turn: inout Turn) {
        switch state {
        case .starting:
            take(.spawned(pid: 0), &turn)
            take(.exited(report), &turn)
        case .up(var up):
            // This daemon never said that it serves, so it has nothing to take back.
            up.readiness = .waiting(deadline: turn.now)
            state = .up(up)
            take(.exited(report), &turn)
        case .ending(let ending):
            if ending.leader == .gone { resume(ending, &turn) } else { take(.exited(report), &turn) }
        // The earlier daemon was about to forget it.
        case .down: turn.act(.forget(incarnation: snapshot.record))
        case .backingOff(let time): proceed(.restart(at: time), &turn)
        case .cooling(let time): proceed(.cool(until: time), &turn)
        }
    }

    /// A process that was ready is ready; one that was not has its whole deadline again, for no one was listening.
    private mutating func resume(_ up: Up, _ turn: inout Turn) {
        guard !up.isReady else { return turn.act(.becameReady) }
        var up = up
        let deadline = turn.now + settings.readyDeadline
        up.readiness = .waiting(deadline: deadline)
        state = .up(up)
        turn.act(.beginReadiness)
        arm(at: deadline, &turn)
    }

    /// The stop goes on at its step. The answer to a `$stop` went to the earlier daemon: its exit is awaited.
    private mutating func resume(_ ending: Ending, _ turn: inout Turn) {
        var ending = ending
        if ending.step == .command { ending.step = .commandAnswered }
        state = .ending(ending)
        switch ending.step {
        case .command, .commandAnswered, .signalled:
            if ending.leader == .gone { count(ending, &turn) } else { arm(at: ending.deadline, &turn) }
        case .killing, .stuck: kill(ending, &turn)
        }
    }
}
