import PMModel

extension UnitStateMachine {
    /// What the present incarnation's tree did; what does not fit the state comes late and means nothing.
    mutating func take(_ child: ChildEvent, _ turn: inout Turn) {
        switch state {
        case .starting(let starting): take(child, starting, &turn)
        case .up(let up): take(child, up, &turn)
        case .ending(let ending): take(child, ending, &turn)
        case .down, .backingOff, .cooling: break
        }
    }

    private mutating func take(_ child: ChildEvent, _ starting: Starting, _ turn: inout Turn) {
        switch child {
        case .starting(let pid): beginLaunch(starting, pid: pid, &turn)
        case .spawned(let pid):
            endLaunch(&turn)
            begin(starting, pid: pid, &turn)
        case .spawnFailed(let text):
            endLaunch(&turn)
            fail(starting, .spawnFailed(text), &turn)
        case .ready, .stopCommandFinished, .exited, .treeReport: break
        }
    }

    private mutating func take(_ child: ChildEvent, _ up: Up, _ turn: inout Turn) {
        switch child {
        case .ready: becomeReady(up, &turn)
        case .exited(let report): die(up, report, &turn)
        case .starting, .spawned, .spawnFailed, .stopCommandFinished, .treeReport: break
        }
    }

    // MARK: Starting

    /// The process exists and is on its way to its program. Its user may keep it from getting there, so that has an end.
    mutating func beginLaunch(_ starting: Starting, pid: Int32, _ turn: inout Turn) {
        launch = Launch(pid: pid, at: turn.now)
        hasten(starting, &turn)
    }

    /// Arms the end of a start that is under way: a stop waits no longer than it has to.
    mutating func hasten(_ starting: Starting, _ turn: inout Turn) {
        guard launch != nil else { return }
        arm(at: turn.now + (starting.then == .run ? settings.readyDeadline : Patience.start), &turn)
    }

    /// The start did not come to its end in time: its process is killed, as one is that is never ready.
    mutating func missStart(_ starting: Starting, _ turn: inout Turn) {
        guard let launch else { return }
        self.launch = nil
        let (cause, next): (Ending.Cause, Ending.Next)
        switch starting.then {
        case .stop: (cause, next) = (.requested, .rest)
        case .restart: (cause, next) = (.requested, .start)
        case .run:
            let reason = ExitReason.notReady(deadline: settings.readyDeadline)
            let death = UnexpectedDeath(reason: reason, at: turn.now, ranFor: .zero)
            (cause, next) = (.notReady, decide(death, &turn))
        }
        let ending = Ending(
            incarnation: starting.incarnation, cause: cause, next: next,
            leader: .alive(pid: launch.pid, startedAt: launch.at), step: .killing, deadline: turn.now,
            pause: Patience.shortestPause)
        kill(ending, &turn)
    }

    private mutating func endLaunch(_ turn: inout Turn) {
        guard launch != nil else { return }
        launch = nil
        disarm(&turn)
    }

    /// The process runs: the record of the one before has served.
    private mutating func begin(_ starting: Starting, pid: Int32, _ turn: inout Turn) {
        forgetHeld(&turn)
        let deadline = turn.now + settings.readyDeadline
        let up = Up(
            incarnation: starting.incarnation, pid: pid, startedAt: turn.now, readiness: .waiting(deadline: deadline))
        switch starting.then {
        case .run: awaitReadiness(up, until: deadline, &turn)
        case .stop: beginEnding(up, .requested, next: .rest, &turn)
        case .restart: beginEnding(up, .requested, next: .start, &turn)
        }
    }

    private mutating func awaitReadiness(_ up: Up, until deadline: MonotonicTime, _ turn: inout Turn) {
        state = .up(up)
        turn.act(.startOutcome(.spawned))
        guard settings.readiness != .started else { return becomeReady(up, &turn) }
        turn.act(.beginReadiness)
        arm(at: deadline, &turn)
    }

    /// The spawn failed: a death, unless a stop was asked for meanwhile. The record of the one before stays.
    private mutating func fail(_ starting: Starting, _ reason: ExitReason, _ turn: inout Turn) {
        let wasRequested = starting.then != .run
        turn.act(
            .recordDeath(
                Death(incarnation: incarnation, reason: reason, uptime: .zero, wasRequested: wasRequested)))
        switch starting.then {
        case .run:
            let next = decide(UnexpectedDeath(reason: reason, at: turn.now, ranFor: .zero), &turn)
            turn.act(.ended(survivors: 0))
            proceed(next, &turn)
        case .stop:
            turn.act(.ended(survivors: 0))
            proceed(.rest, &turn)
        case .restart:
            turn.act(.ended(survivors: 0))
            proceed(.start, &turn)
        }
    }

    // MARK: Up

    private mutating func becomeReady(_ up: Up, _ turn: inout Turn) {
        guard !up.isReady else { return }
        leaveReadiness(&turn)
        var up = up
        up.readiness = .ready
        state = .up(up)
        turn.act(.becameReady)
        turn.act(.startOutcome(.ready))
    }

    /// Ends the readiness check, if it is under way: it is exactly when the timer of its deadline is armed.
    private mutating func leaveReadiness(_ turn: inout Turn) {
        guard timer != nil else { return }
        turn.act(.endReadiness)
        disarm(&turn)
    }

    /// It does not serve any more, or never will.
    mutating func leaveUp(_ up: Up, _ turn: inout Turn) {
        if up.isReady { turn.act(.becameUnready) } else { leaveReadiness(&turn) }
    }

    /// The readiness deadline passed: a death, although the process is still to be ended.
    mutating func missReadiness(_ up: Up, _ turn: inout Turn) {
        turn.act(.endReadiness)
        let reason = ExitReason.notReady(deadline: settings.readyDeadline)
        let next = decide(
            UnexpectedDeath(reason: reason, at: turn.now, ranFor: turn.now - up.startedAt), &turn)
        beginEnding(up, .notReady, next: next, &turn)
    }

    /// A death nobody asked for.
    private mutating func die(_ up: Up, _ report: ExitReport, _ turn: inout Turn) {
        leaveUp(up, &turn)
        let ranFor = report.ranFor ?? (turn.now - up.startedAt)
        turn.act(
            .recordDeath(
                Death(incarnation: incarnation, reason: report.reason, uptime: ranFor, wasRequested: false)))
        let next = decide(UnexpectedDeath(reason: report.reason, at: turn.now, ranFor: ranFor), &turn)
        switch report.leftovers {
        case .none:
            held = incarnation
            turn.act(.ended(survivors: 0))
            proceed(next, &turn)
        case .maybe: sweep(next: next, &turn)
        }
    }

    /// Asks the history what follows a death, and tells those who wait for the unit.
    private mutating func decide(_ death: UnexpectedDeath, _ turn: inout Turn) -> Ending.Next {
        let decision = history.decide(after: death, policy: settings.restart, jitter: &jitter)
        turn.act(.startOutcome(.failed(.died(death.reason, then: decision))))
        switch decision {
        case .restart(let pause): return .restart(at: turn.now + pause)
        case .cool(let pause): return .cool(until: turn.now + pause)
        case .stayDown: return .finish
        }
    }

    /// What follows once nothing of the last incarnation is left.
    mutating func proceed(_ next: Ending.Next, _ turn: inout Turn) {
        switch next {
        case .rest: rest(.stopped, &turn)
        case .finish: rest(.finished, &turn)
        case .start: spawn(&turn)
        case .restart(let time): wait(.backingOff(until: time), until: time, &turn)
        case .cool(let time): wait(.cooling(until: time), until: time, &turn)
        }
    }

    private mutating func wait(_ waiting: UnitState, until time: MonotonicTime, _ turn: inout Turn) {
        guard turn.now < time else { return restart(&turn) }
        state = waiting
        arm(at: time, &turn)
    }
}
