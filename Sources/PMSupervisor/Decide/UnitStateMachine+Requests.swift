import PMModel

extension UnitStateMachine {
    /// A request; the later one wins, and every earlier one is answered.
    mutating func handle(_ request: UnitRequest, _ transition: inout Transition) {
        switch request {
        case .up, .restart: wantUp(request, &transition)
        case .down, .kill: wantDown(isNow: request == .kill, &transition)
        }
    }

    /// A manual start: the series of deaths is forgiven in every state.
    private mutating func wantUp(_ request: UnitRequest, _ transition: inout Transition) {
        history.clear()
        restarts = 0
        switch state {
        case .down, .backingOff, .cooling:
            disarm(&transition)
            spawn(&transition)
        case .starting(var starting):
            // A stop that was asked for first is kept: its caller was promised that this process ends.
            let before = starting.then
            if request == .restart || starting.then == .stop { starting.then = .restart }
            state = .starting(starting)
            if starting.then != before { hasten(starting, &transition) }
        case .up(let up):
            if request == .restart {
                beginStopping(up, .requested, next: .start, &transition)
            } else {
                transition.act(.startOutcome(up.isReady ? .ready : .spawned))
            }
        case .stopping(var stopping):
            stopping.next = .start
            state = .stopping(stopping)
            if stopping.step == .stuck {
                transition.act(.startOutcome(.failed(.blocked(survivors: stopping.survivors))))
            }
        }
    }

    /// A stop. Pending starts fail first, including those of plans that have not reached this unit yet.
    private mutating func wantDown(isNow: Bool, _ transition: inout Transition) {
        transition.act(.startOutcome(.superseded))
        switch state {
        case .down:
            state = .down(.stopped)
            transition.act(.ended(survivors: 0))
        case .backingOff, .cooling:
            disarm(&transition)
            transition.act(.ended(survivors: 0))
            rest(.stopped, &transition)
        case .starting(var starting):
            starting.then = .stop
            state = .starting(starting)
            hasten(starting, &transition)
        case .up(let up):
            if isNow { beginKilling(up, &transition) } else { beginStopping(up, .requested, next: .rest, &transition) }
        case .stopping(var stopping):
            stopping.next = .rest
            state = .stopping(stopping)
            if isNow, stopping.step != .killing, stopping.step != .stuck { kill(stopping, &transition) }
            // Its caller learns what a new try achieves, not what an old one did not.
            if stopping.step == .stuck { kill(stopping, &transition) }
        }
    }

    /// Goes down; nothing needs to outlive the daemon any more.
    mutating func rest(_ rest: DownReason, _ transition: inout Transition) {
        state = .down(rest)
        forgetHeld(&transition)
    }

    /// Lets pm-init drop the record of the last dead incarnation.
    mutating func forgetHeld(_ transition: inout Transition) {
        guard let incarnation = held else { return }
        held = nil
        transition.act(.forget(incarnation: incarnation))
    }

    /// Begins the next incarnation.
    mutating func spawn(_ transition: inout Transition) {
        incarnation += 1
        state = .starting(Starting(incarnation: incarnation))
        transition.act(.spawn(incarnation: incarnation))
    }

    /// Begins the next incarnation without anybody having asked.
    mutating func restart(_ transition: inout Transition) {
        restarts = restarts == .max ? .max : restarts + 1
        spawn(&transition)
    }
}
