import PMModel

/// The times of the last resort, the same for every unit.
public enum Patience {
    /// How long SIGKILL is repeated before the survivors are reported.
    public static let kill = Duration.seconds(5)
    /// How long a process that was to be stopped before it ran its program may still take to get there.
    public static let start = Duration.seconds(1)
    /// The pauses between two counts of what is left: the first, then doubled up to the last.
    public static let shortestPause = Duration.milliseconds(5)
    /// The longest pause between two counts of what is left.
    public static let longestPause = Duration.milliseconds(200)
    /// The pause between two tries once a unit is stuck: the first, then doubled up to the last.
    public static let shortestStuckPause = Duration.seconds(5)
    /// The longest pause between two tries once a unit is stuck.
    public static let longestStuckPause = Duration.seconds(60)
    /// How long `$stop` may take where the stop sequence has no step that says.
    public static let command = Duration.seconds(10)
}

private let sigkill: Int32 = 9

extension UnitStateMachine {
    /// Begins to end a running process. `$stop` is only for one that serves: another may never answer.
    mutating func beginEnding(_ up: Up, _ cause: Ending.Cause, next: Ending.Next, _ turn: inout Turn) {
        leaveUp(up, &turn)
        var ending = Ending(
            incarnation: up.incarnation, cause: cause, next: next,
            leader: .alive(pid: up.pid, startedAt: up.startedAt), step: .command, deadline: turn.now,
            pause: Patience.shortestPause)
        guard up.isReady, settings.hasStopCommand else { return signal(0, ending, &turn) }
        ending.deadline = turn.now + (settings.stop.steps.first?.wait ?? Patience.command)
        state = .ending(ending)
        turn.act(.callStopCommand)
        arm(at: ending.deadline, &turn)
    }

    /// Kills what a dead leader left behind.
    mutating func sweep(next: Ending.Next, _ turn: inout Turn) {
        held = incarnation
        let ending = Ending(
            incarnation: incarnation, cause: .died, next: next, leader: .gone, step: .killing, deadline: turn.now,
            pause: Patience.shortestPause)
        kill(ending, &turn)
    }

    /// What the tree on its way out did.
    mutating func take(_ child: ChildEvent, _ ending: Ending, _ turn: inout Turn) {
        switch child {
        case .stopCommandFinished(let result): takeCommand(result, ending, &turn)
        case .exited(let report): takeExit(report, ending, &turn)
        case .treeReport(let survivors): takeReport(survivors, ending, &turn)
        case .spawnFailed(let text): takeFailedStart(text, ending, &turn)
        case .starting, .spawned, .ready: break
        }
    }

    /// The timer: time for the next step, or for the next count.
    mutating func takeTimer(_ ending: Ending, _ turn: inout Turn) {
        guard turn.now >= ending.deadline else { return count(ending, &turn) }
        switch ending.step {
        case .command, .commandAnswered: signal(0, ending, &turn)
        case .signalled(let index): signal(index + 1, ending, &turn)
        case .killing: giveUp(ending, &turn)
        case .stuck: count(ending, &turn)
        }
    }

    // MARK: Steps

    /// Sends the signal of a step, or kills when there is no such step.
    private mutating func signal(_ index: UInt16, _ ending: Ending, _ turn: inout Turn) {
        guard Int(index) < settings.stop.steps.count else { return kill(ending, &turn) }
        let step = settings.stop.steps[Int(index)]
        var ending = ending
        ending.step = .signalled(index)
        ending.deadline = turn.now + step.wait
        ending.pause = Patience.shortestPause
        state = .ending(ending)
        turn.act(.signalGroup(step.signal))
        // Without a leader nothing reports the end of the rest: it is counted.
        if ending.leader == .gone { armNextCount(ending, &turn) } else { arm(at: ending.deadline, &turn) }
    }

    /// Kills the whole tree.
    mutating func kill(_ ending: Ending, _ turn: inout Turn) {
        var ending = ending
        ending.step = .killing
        ending.deadline = turn.now + Patience.kill
        ending.pause = Patience.shortestPause
        state = .ending(ending)
        turn.act(.sweepTree(sigkill))
        arm(at: ending.deadline, &turn)
    }

    /// Counts what is left; SIGKILL counts and kills again, for what was forked meanwhile.
    mutating func count(_ ending: Ending, _ turn: inout Turn) {
        var ending = ending
        switch ending.step {
        case .command, .commandAnswered, .signalled: turn.act(.sweepTree(0))
        case .killing: turn.act(.sweepTree(sigkill))
        case .stuck:
            turn.act(.sweepTree(sigkill))
            ending.deadline = turn.now + ending.pause
            ending.pause = min(ending.pause * 2, Patience.longestStuckPause)
        }
        state = .ending(ending)
        arm(at: ending.deadline, &turn)
    }

    /// Tells what survives, and goes on trying at a slow pace.
    private mutating func giveUp(_ ending: Ending, _ turn: inout Turn) {
        var ending = ending
        ending.step = .stuck
        // A leader whose exit is not reported is one survivor, whatever the count says.
        ending.survivors = max(1, ending.survivors)
        ending.deadline = turn.now + Patience.shortestStuckPause
        ending.pause = Patience.shortestStuckPause * 2
        state = .ending(ending)
        turn.act(.ended(survivors: ending.survivors))
        if desired == .up { turn.act(.startOutcome(.failed(.blocked(survivors: ending.survivors)))) }
        arm(at: ending.deadline, &turn)
    }

    /// Arms the timer for the next count of what is left, with a growing pause, at the latest for the next step.
    private mutating func armNextCount(_ ending: Ending, _ turn: inout Turn) {
        var ending = ending
        let time = min(turn.now + ending.pause, ending.deadline)
        ending.pause = min(ending.pause * 2, Patience.longestPause)
        state = .ending(ending)
        arm(at: time, &turn)
    }

    // MARK: Reports

    private mutating func takeCommand(_ result: StopCommandResult, _ ending: Ending, _ turn: inout Turn) {
        guard ending.step == .command else { return }
        switch result {
        case .failed: signal(0, ending, &turn)
        case .answered:
            var ending = ending
            ending.step = .commandAnswered
            state = .ending(ending)
        }
    }

    /// The leader is gone. What is left has the rest of the step's time, for it got the signal too.
    private mutating func takeExit(_ report: ExitReport, _ ending: Ending, _ turn: inout Turn) {
        guard case .alive(_, let startedAt) = ending.leader else { return }
        var ending = ending
        ending.leader = .gone
        ending.survivors = 0
        state = .ending(ending)
        // Of the one before, where this one was killed before it was known to run.
        forgetHeld(&turn)
        held = incarnation
        let reason = ending.cause == .notReady ? .notReady(deadline: settings.readyDeadline) : report.reason
        let uptime = report.ranFor ?? (turn.now - startedAt)
        turn.act(
            .recordDeath(
                Death(
                    incarnation: incarnation, reason: reason, uptime: uptime,
                    wasRequested: ending.cause == .requested)))
        switch report.leftovers {
        case .none: finish(ending, &turn)
        case .maybe: count(ending, &turn)
        }
    }

    /// It was killed before it ran its program: nothing is left of it, and the record of the one before stays.
    private mutating func takeFailedStart(_ text: String, _ ending: Ending, _ turn: inout Turn) {
        guard ending.leader != .gone else { return }
        let reason =
            ending.cause == .notReady ? .notReady(deadline: settings.readyDeadline) : ExitReason.spawnFailed(text)
        turn.act(
            .recordDeath(
                Death(
                    incarnation: incarnation, reason: reason, uptime: .zero,
                    wasRequested: ending.cause == .requested)))
        finish(ending, &turn)
    }

    private mutating func takeReport(_ survivors: UInt32, _ ending: Ending, _ turn: inout Turn) {
        if survivors == 0, ending.leader == .gone { return finish(ending, &turn) }
        var ending = ending
        ending.survivors = survivors
        state = .ending(ending)
        switch ending.step {
        case .command, .commandAnswered, .signalled:
            if ending.leader == .gone { armNextCount(ending, &turn) }
        case .killing:
            // With nothing left but the report of the exit, there is nothing to kill again.
            if survivors > 0 { armNextCount(ending, &turn) }
        case .stuck: break
        }
    }

    private mutating func finish(_ ending: Ending, _ turn: inout Turn) {
        disarm(&turn)
        turn.act(.ended(survivors: 0))
        proceed(ending.next, &turn)
    }
}
