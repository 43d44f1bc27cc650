import PMModel

extension UnitStateMachine {
    /// An event of the present incarnation's tree; an event that does not fit the state is late and is ignored.
    mutating func handle(_ child: ChildEvent, _ transition: inout Transition) {
        switch state {
        case .starting(let starting): handle(child, starting, &transition)
        case .up(let up): handle(child, up, &transition)
        case .stopping(let stopping): handle(child, stopping, &transition)
        case .down, .backingOff, .cooling: break
        }
    }

    private mutating func handle(_ child: ChildEvent, _ starting: Starting, _ transition: inout Transition) {
        switch child {
        case .starting(let pid): beginLaunch(starting, pid: pid, &transition)
        case .spawned(let pid):
            endLaunch(&transition)
            startRunning(starting, pid: pid, &transition)
        case .spawnFailed(let failure):
            endLaunch(&transition)
            fail(starting, .spawnFailed(failure), &transition)
        case .ready, .unresponsive, .drained, .stopCommandFinished, .exited, .treeReport: break
        }
    }

    private mutating func handle(_ child: ChildEvent, _ up: Up, _ transition: inout Transition) {
        switch child {
        case .ready: becomeReady(up, &transition)
        case .exited(let report): die(up, report, &transition)
        case .unresponsive(let response, let seen): end(up, response, seen, &transition)
        case .starting, .spawned, .spawnFailed, .drained, .stopCommandFinished, .treeReport: break
        }
    }

    // MARK: Starting

    /// The process exists and is on its way to its program. Its user may keep it from getting there, so that has an end.
    mutating func beginLaunch(_ starting: Starting, pid: Int32, _ transition: inout Transition) {
        launch = Launch(pid: pid, at: transition.now)
        hasten(starting, &transition)
    }

    /// Arms the end of a start that is under way: a stop waits no longer than it has to.
    mutating func hasten(_ starting: Starting, _ transition: inout Transition) {
        guard launch != nil else { return }
        arm(at: transition.now + (starting.then == .run ? settings.readyDeadline : KillTimeouts.start), &transition)
    }

    /// The start did not come to its end in time: its process is killed, as one is that is never ready.
    mutating func missStart(_ starting: Starting, _ transition: inout Transition) {
        guard let launch else { return }
        self.launch = nil
        let (cause, next): (Stopping.Cause, Stopping.Next)
        switch starting.then {
        case .stop: (cause, next) = (.requested, .rest)
        case .restart: (cause, next) = (.requested, .start)
        case .run:
            let reason = ExitReason.notReady(deadline: settings.readyDeadline)
            let death = UnexpectedDeath(reason: reason, at: transition.now, ranFor: .zero)
            (cause, next) = (.notReady, decide(death, &transition))
        }
        let stopping = Stopping(
            incarnation: starting.incarnation, cause: cause, next: next,
            leader: .alive(pid: launch.pid, startedAt: launch.at), step: .killing, deadline: transition.now,
            pause: KillTimeouts.shortestPause)
        kill(stopping, &transition)
    }

    private mutating func endLaunch(_ transition: inout Transition) {
        guard launch != nil else { return }
        launch = nil
        disarm(&transition)
    }

    /// The process runs: the record of the one before has served.
    private mutating func startRunning(_ starting: Starting, pid: Int32, _ transition: inout Transition) {
        forgetHeld(&transition)
        let deadline = transition.now + settings.readinessTimeout
        let up = Up(
            incarnation: starting.incarnation, pid: pid, startedAt: transition.now,
            readiness: .waiting(deadline: deadline))
        switch starting.then {
        case .run: awaitReadiness(up, until: deadline, &transition)
        case .stop: beginStopping(up, .requested, next: .rest, &transition)
        case .restart: beginStopping(up, .requested, next: .start, &transition)
        }
    }

    private mutating func awaitReadiness(_ up: Up, until deadline: MonotonicTime, _ transition: inout Transition) {
        state = .up(up)
        transition.act(.startOutcome(.spawned))
        guard settings.readiness != .started else { return becomeReady(up, &transition) }
        transition.act(.beginReadiness)
        arm(at: deadline, &transition)
    }

    /// The spawn failed: a death, unless a stop was asked for meanwhile. The record of the one before stays.
    private mutating func fail(_ starting: Starting, _ reason: ExitReason, _ transition: inout Transition) {
        let wasRequested = starting.then != .run
        transition.act(
            .recordDeath(
                Death(incarnation: incarnation, reason: reason, uptime: .zero, wasRequested: wasRequested)))
        switch starting.then {
        case .run:
            let next = decide(UnexpectedDeath(reason: reason, at: transition.now, ranFor: .zero), &transition)
            transition.act(.ended(survivors: 0))
            proceed(next, &transition)
        case .stop:
            transition.act(.ended(survivors: 0))
            proceed(.rest, &transition)
        case .restart:
            transition.act(.ended(survivors: 0))
            proceed(.start, &transition)
        }
    }

    // MARK: Up

    private mutating func becomeReady(_ up: Up, _ transition: inout Transition) {
        guard !up.isReady else { return }
        leaveReadiness(&transition)
        var up = up
        up.readiness = .ready
        state = .up(up)
        transition.act(.becameReady)
        transition.act(.startOutcome(.ready))
    }

    /// Ends the readiness check, if it is under way: it is exactly when the timer of its deadline is armed.
    private mutating func leaveReadiness(_ transition: inout Transition) {
        guard timer != nil else { return }
        transition.act(.endReadiness)
        disarm(&transition)
    }

    /// Ends readiness, and the wait for it.
    mutating func leaveUp(_ up: Up, _ transition: inout Transition) {
        if up.isReady { transition.act(.becameUnready) } else { leaveReadiness(&transition) }
    }

    /// The readiness deadline passed: a death, although the process is still to be ended.
    mutating func missReadiness(_ up: Up, _ transition: inout Transition) {
        transition.act(.endReadiness)
        let reason = ExitReason.notReady(deadline: settings.readyDeadline)
        let next = decide(
            UnexpectedDeath(reason: reason, at: transition.now, ranFor: transition.now - up.startedAt), &transition)
        beginStopping(up, .notReady, next: next, &transition)
    }

    /// The liveness check failed: a death, although the process is still to be ended. Nothing is done to one that somebody
    /// debugs.
    private mutating func end(
        _ up: Up, _ response: LivenessResponse, _ seen: String, _ transition: inout Transition
    ) {
        guard up.isReady, !settings.isInspected else { return }
        let reason = ExitReason.unresponsive(seen: seen)
        let next: Stopping.Next
        switch response {
        case .report: return
        case .restart:
            next = decide(
                UnexpectedDeath(reason: reason, at: transition.now, ranFor: transition.now - up.startedAt), &transition)
        case .stop:
            transition.act(.startOutcome(.failed(.died(reason, then: .stayDown))))
            next = .finish
        }
        lastSeen = seen
        beginStopping(up, .unresponsive, next: next, &transition)
    }

    /// A death nobody asked for.
    private mutating func die(_ up: Up, _ report: ExitReport, _ transition: inout Transition) {
        leaveUp(up, &transition)
        let ranFor = report.ranFor ?? (transition.now - up.startedAt)
        transition.act(
            .recordDeath(
                Death(incarnation: incarnation, reason: report.reason, uptime: ranFor, wasRequested: false)))
        let next = decide(UnexpectedDeath(reason: report.reason, at: transition.now, ranFor: ranFor), &transition)
        switch report.leftovers {
        case .none:
            held = incarnation
            transition.act(.ended(survivors: 0))
            proceed(next, &transition)
        case .maybe: sweep(next: next, &transition)
        }
    }

    /// Asks the history what follows a death, and tells those who wait for the unit.
    private mutating func decide(_ death: UnexpectedDeath, _ transition: inout Transition) -> Stopping.Next {
        let decision = history.decide(after: death, policy: settings.restart, jitter: &jitter)
        transition.act(.startOutcome(.failed(.died(death.reason, then: decision))))
        switch decision {
        case .restart(let pause): return .restart(at: transition.now + pause)
        case .cool(let pause): return .cool(until: transition.now + pause)
        case .stayDown, .giveUp: return .finish
        }
    }

    /// The step after the end of the last incarnation's tree.
    mutating func proceed(_ next: Stopping.Next, _ transition: inout Transition) {
        switch next {
        case .rest: rest(.stopped, &transition)
        case .finish: rest(.finished, &transition)
        case .start: spawn(&transition)
        case .restart(let time): wait(.backingOff(until: time), until: time, &transition)
        case .cool(let time): wait(.cooling(until: time), until: time, &transition)
        }
    }

    private mutating func wait(_ waiting: UnitState, until time: MonotonicTime, _ transition: inout Transition) {
        guard transition.now < time else { return restart(&transition) }
        state = waiting
        arm(at: time, &transition)
    }
}
