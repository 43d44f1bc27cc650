import PMModel

extension UnitStateMachine {
    /// The state that outlives the daemon; kept in pm-init's record of the present or last child.
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
    mutating func adopt(_ child: AdoptedChild, _ transition: inout Transition) {
        switch child {
        case .starting(let pid): adoptStarting(pid: pid, &transition)
        case .running(let pid): adoptRunning(pid: pid, &transition)
        case .exited(let report): adoptExited(report, &transition)
        }
    }

    private mutating func adoptStarting(pid: Int32, _ transition: inout Transition) {
        switch state {
        case .starting(let starting): beginLaunch(starting, pid: pid, &transition)
        // It was up only after its start had come to an end.
        case .up: sweep(next: .start, &transition)
        case .stopping, .down, .backingOff, .cooling: adoptRunning(pid: pid, &transition)
        }
    }

    private mutating func adoptRunning(pid: Int32, _ transition: inout Transition) {
        switch state {
        case .starting: handle(.spawned(pid: pid), &transition)
        case .up(let up): resume(up, &transition)
        case .stopping(let stopping): resume(stopping, &transition)
        // No daemon leaves such a pair; whatever it is, it must not run beside a new incarnation.
        case .down: sweep(next: .rest, &transition)
        case .backingOff(let time): sweep(next: .restart(at: time), &transition)
        case .cooling(let time): sweep(next: .cool(until: time), &transition)
        }
    }

    private mutating func adoptExited(_ report: ExitReport, _ transition: inout Transition) {
        switch state {
        case .starting:
            handle(.spawned(pid: 0), &transition)
            handle(.exited(report), &transition)
        case .up(var up):
            // This daemon never said that it serves, so it has nothing to handle back.
            up.readiness = .waiting(deadline: transition.now)
            state = .up(up)
            handle(.exited(report), &transition)
        case .stopping(let stopping):
            if stopping.leader == .gone { resume(stopping, &transition) } else { handle(.exited(report), &transition) }
        // The earlier daemon was about to forget it.
        case .down: transition.act(.forget(incarnation: snapshot.record))
        case .backingOff(let time): proceed(.restart(at: time), &transition)
        case .cooling(let time): proceed(.cool(until: time), &transition)
        }
    }

    /// A process that was ready is ready; one that was not has its whole deadline again, for no one was listening.
    private mutating func resume(_ up: Up, _ transition: inout Transition) {
        guard !up.isReady else { return transition.act(.becameReady) }
        var up = up
        let deadline = transition.now + settings.readinessTimeout
        up.readiness = .waiting(deadline: deadline)
        state = .up(up)
        transition.act(.beginReadiness)
        arm(at: deadline, &transition)
    }

    /// The stop goes on at its step. The answer to a `$stop` went to the earlier daemon: its exit is awaited.
    private mutating func resume(_ stopping: Stopping, _ transition: inout Transition) {
        var stopping = stopping
        if stopping.step == .command { stopping.step = .commandAnswered }
        state = .stopping(stopping)
        switch stopping.step {
        case .draining, .command, .commandAnswered, .signalled:
            if stopping.leader == .gone {
                count(stopping, &transition)
            } else {
                if stopping.step == .draining { transition.act(.drain) }
                arm(at: stopping.deadline, &transition)
            }
        case .killing, .stuck: kill(stopping, &transition)
        }
    }
}
