import PMModel

/// The times of the last resort, the same for every unit.
public enum KillTimeouts {
    /// Time for which SIGKILL is repeated before the survivors are reported.
    public static let kill = Duration.seconds(5)
    /// Time that a process may take to get to its program when it is to be stopped before that.
    public static let start = Duration.seconds(1)
    /// The pauses between two counts of what is left: the first, then doubled up to the last.
    public static let shortestPause = Duration.milliseconds(5)
    /// The longest pause between two counts of what is left.
    public static let longestPause = Duration.milliseconds(200)
    /// The pause between two tries once a unit is stuck: the first, then doubled up to the last.
    public static let shortestStuckPause = Duration.seconds(5)
    /// The longest pause between two tries once a unit is stuck.
    public static let longestStuckPause = Duration.seconds(60)
    /// Time for `$stop` when the stop sequence has no step that determines it.
    public static let command = Duration.seconds(10)
}

private let sigkill: Int32 = 9

extension UnitStateMachine {
    /// Begins to end a running process. Its open calls are awaited and `$stop` is called only if it serves and responds:
    /// another may never answer.
    mutating func beginStopping(_ up: Up, _ cause: Stopping.Cause, next: Stopping.Next, _ transition: inout Transition)
    {
        leaveUp(up, &transition)
        var stopping = Stopping(up, cause, next: next, at: transition.now)
        guard up.isReady, cause != .unresponsive else { return signal(0, stopping, &transition) }
        guard settings.drain > .zero else { return callStop(stopping, &transition) }
        stopping.step = .draining
        stopping.deadline = transition.now + settings.drain
        state = .stopping(stopping)
        transition.act(.drain)
        arm(at: stopping.deadline, &transition)
    }

    /// Asks a running process by its command to end, or sends the first signal when it has none.
    private mutating func callStop(_ stopping: Stopping, _ transition: inout Transition) {
        guard settings.hasStopCommand else { return signal(0, stopping, &transition) }
        var stopping = stopping
        stopping.step = .command
        stopping.deadline = transition.now + (settings.stop.steps.first?.wait ?? KillTimeouts.command)
        state = .stopping(stopping)
        transition.act(.callStopCommand)
        arm(at: stopping.deadline, &transition)
    }

    /// Ends a running process without its stop sequence.
    mutating func beginKilling(_ up: Up, _ transition: inout Transition) {
        leaveUp(up, &transition)
        kill(Stopping(up, .requested, next: .rest, at: transition.now), &transition)
    }

    /// Kills what a dead leader left behind.
    mutating func sweep(next: Stopping.Next, _ transition: inout Transition) {
        held = incarnation
        let stopping = Stopping(
            incarnation: incarnation, cause: .died, next: next, leader: .gone, step: .killing, deadline: transition.now,
            pause: KillTimeouts.shortestPause)
        kill(stopping, &transition)
    }

    /// An event of the tree that is being stopped.
    mutating func handle(_ child: ChildEvent, _ stopping: Stopping, _ transition: inout Transition) {
        switch child {
        case .drained: if stopping.step == .draining { callStop(stopping, &transition) }
        case .stopCommandFinished(let result): handleCommandResult(result, stopping, &transition)
        case .exited(let report): handleExit(report, stopping, &transition)
        case .treeReport(let survivors): handleReport(survivors, stopping, &transition)
        case .spawnFailed(let failure): handleFailedStart(failure, stopping, &transition)
        case .starting, .spawned, .ready, .unresponsive: break
        }
    }

    /// The timer: time for the next step, or for the next count.
    mutating func handleTimer(_ stopping: Stopping, _ transition: inout Transition) {
        guard transition.now >= stopping.deadline else { return count(stopping, &transition) }
        switch stopping.step {
        case .draining: callStop(stopping, &transition)
        case .command, .commandAnswered: signal(0, stopping, &transition)
        case .signalled(let index): signal(index + 1, stopping, &transition)
        case .killing: giveUp(stopping, &transition)
        case .stuck: count(stopping, &transition)
        }
    }

    // MARK: Steps

    /// Sends the signal of a step, or kills when there is no such step.
    private mutating func signal(_ index: UInt16, _ stopping: Stopping, _ transition: inout Transition) {
        guard Int(index) < settings.stop.steps.count else { return kill(stopping, &transition) }
        let step = settings.stop.steps[Int(index)]
        var stopping = stopping
        stopping.step = .signalled(index)
        stopping.deadline = transition.now + step.wait
        stopping.pause = KillTimeouts.shortestPause
        state = .stopping(stopping)
        transition.act(.signalGroup(step.signal))
        // Without a leader nothing reports the end of the rest: it is counted.
        if stopping.leader == .gone {
            armNextCount(stopping, &transition)
        } else {
            arm(at: stopping.deadline, &transition)
        }
    }

    /// Kills the whole tree.
    mutating func kill(_ stopping: Stopping, _ transition: inout Transition) {
        var stopping = stopping
        stopping.step = .killing
        stopping.deadline = transition.now + KillTimeouts.kill
        stopping.pause = KillTimeouts.shortestPause
        state = .stopping(stopping)
        transition.act(.sweepTree(sigkill))
        arm(at: stopping.deadline, &transition)
    }

    /// Counts what is left; SIGKILL counts and kills again, for what was forked meanwhile.
    mutating func count(_ stopping: Stopping, _ transition: inout Transition) {
        var stopping = stopping
        switch stopping.step {
        case .draining, .command, .commandAnswered, .signalled: transition.act(.sweepTree(0))
        case .killing: transition.act(.sweepTree(sigkill))
        case .stuck:
            transition.act(.sweepTree(sigkill))
            stopping.deadline = transition.now + stopping.pause
            stopping.pause = min(stopping.pause * 2, KillTimeouts.longestStuckPause)
        }
        state = .stopping(stopping)
        arm(at: stopping.deadline, &transition)
    }

    /// Tells what survives, and goes on trying at a slow pace.
    private mutating func giveUp(_ stopping: Stopping, _ transition: inout Transition) {
        var stopping = stopping
        stopping.step = .stuck
        // A leader whose exit is not reported is one survivor, whatever the count says.
        stopping.survivors = max(1, stopping.survivors)
        stopping.deadline = transition.now + KillTimeouts.shortestStuckPause
        stopping.pause = KillTimeouts.shortestStuckPause * 2
        state = .stopping(stopping)
        transition.act(.ended(survivors: stopping.survivors))
        if desired == .up { transition.act(.startOutcome(.failed(.blocked(survivors: stopping.survivors)))) }
        arm(at: stopping.deadline, &transition)
    }

    /// Arms the timer for the next count of what is left, with a growing pause, at the latest for the next step.
    private mutating func armNextCount(_ stopping: Stopping, _ transition: inout Transition) {
        var stopping = stopping
        let time = min(transition.now + stopping.pause, stopping.deadline)
        stopping.pause = min(stopping.pause * 2, KillTimeouts.longestPause)
        state = .stopping(stopping)
        arm(at: time, &transition)
    }

    // MARK: Reports

    private mutating func handleCommandResult(
        _ result: StopCommandResult, _ stopping: Stopping, _ transition: inout Transition
    ) {
        guard stopping.step == .command else { return }
        switch result {
        case .failed: signal(0, stopping, &transition)
        case .answered:
            var stopping = stopping
            stopping.step = .commandAnswered
            state = .stopping(stopping)
        }
    }

    /// The leader is gone. What is left has the rest of the step's time, for it got the signal too.
    private mutating func handleExit(_ report: ExitReport, _ stopping: Stopping, _ transition: inout Transition) {
        guard case .alive(_, let startedAt) = stopping.leader else { return }
        var stopping = stopping
        stopping.leader = .gone
        stopping.survivors = 0
        state = .stopping(stopping)
        // Of the one before, where this one was killed before it was known to run.
        forgetHeld(&transition)
        held = incarnation
        let reason = ownReason(stopping) ?? report.reason
        let uptime = report.ranFor ?? (transition.now - startedAt)
        transition.act(
            .recordDeath(
                Death(
                    incarnation: incarnation, reason: reason, uptime: uptime,
                    wasRequested: stopping.cause == .requested)))
        switch report.leftovers {
        case .none: finish(stopping, &transition)
        case .maybe:
            // What it leaves behind has got no signal so far, and its calls are lost.
            if stopping.step == .draining { signal(0, stopping, &transition) } else { count(stopping, &transition) }
        }
    }

    /// Why pm itself ends a process that nobody asked to stop; nil for others, whose end has its own reason.
    private func ownReason(_ stopping: Stopping) -> ExitReason? {
        switch stopping.cause {
        case .requested, .died: nil
        case .notReady: .notReady(deadline: settings.readyDeadline)
        case .unresponsive: .unresponsive(seen: lastSeen)
        }
    }

    /// The process was killed before it ran its program: nothing is left of it, and the record of its predecessor
    /// stays.
    private mutating func handleFailedStart(
        _ failure: SpawnFailure, _ stopping: Stopping, _ transition: inout Transition
    ) {
        guard stopping.leader != .gone else { return }
        let reason = ownReason(stopping) ?? .spawnFailed(failure)
        transition.act(
            .recordDeath(
                Death(
                    incarnation: incarnation, reason: reason, uptime: .zero,
                    wasRequested: stopping.cause == .requested)))
        finish(stopping, &transition)
    }

    private mutating func handleReport(_ survivors: UInt32, _ stopping: Stopping, _ transition: inout Transition) {
        if survivors == 0, stopping.leader == .gone { return finish(stopping, &transition) }
        var stopping = stopping
        stopping.survivors = survivors
        state = .stopping(stopping)
        switch stopping.step {
        case .draining, .command, .commandAnswered, .signalled:
            if stopping.leader == .gone { armNextCount(stopping, &transition) }
        case .killing:
            // With nothing left but the report of the exit, there is nothing to kill again.
            if survivors > 0 { armNextCount(stopping, &transition) }
        case .stuck: break
        }
    }

    private mutating func finish(_ stopping: Stopping, _ transition: inout Transition) {
        disarm(&transition)
        transition.act(.ended(survivors: 0))
        proceed(stopping.next, &transition)
    }
}

extension Stopping {
    /// A running process that is to end, before the first step.
    init(_ up: Up, _ cause: Cause, next: Next, at now: MonotonicTime) {
        self.init(
            incarnation: up.incarnation, cause: cause, next: next,
            leader: .alive(pid: up.pid, startedAt: up.startedAt), step: .command, deadline: now,
            pause: KillTimeouts.shortestPause)
    }
}
