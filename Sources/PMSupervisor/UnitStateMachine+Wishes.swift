import PMModel

extension UnitStateMachine {
    /// What someone wants; the later wish wins, and everyone who wished is answered.
    mutating func take(_ wish: Wish, _ turn: inout Turn) {
        switch wish {
        case .up, .restart: wantUp(wish, &turn)
        case .down: wantDown(&turn)
        }
    }

    /// A manual start: the series of deaths is forgiven in every state.
    private mutating func wantUp(_ wish: Wish, _ turn: inout Turn) {
        history.clear()
        restarts = 0
        switch state {
        case .down, .backingOff, .cooling:
            disarm(&turn)
            spawn(&turn)
        case .starting(var starting):
            // A stop that was asked for first is kept: its caller was promised that this process ends.
            let before = starting.then
            if wish == .restart || starting.then == .stop { starting.then = .restart }
            state = .starting(starting)
            if starting.then != before { hasten(starting, &turn) }
        case .up(let up):
            if wish == .restart {
                beginEnding(up, .requested, next: .start, &turn)
            } else {
                turn.act(.startOutcome(up.isReady ? .ready : .spawned))
            }
        case .ending(var ending):
            ending.next = .start
            state = .ending(ending)
            if ending.step == .stuck {
                turn.act(.startOutcome(.failed(.blocked(survivors: ending.survivors))))
            }
        }
    }

    /// A stop. Whoever waits for a start is told first, also who did not come to ask for it yet.
    private mutating func wantDown(_ turn: inout Turn) {
        turn.act(.startOutcome(.superseded))
        switch state {
        case .down:
            state = .down(.stopped)
            turn.act(.ended(survivors: 0))
        case .backingOff, .cooling:
            disarm(&turn)
            turn.act(.ended(survivors: 0))
            rest(.stopped, &turn)
        case .starting(var starting):
            starting.then = .stop
            state = .starting(starting)
            hasten(starting, &turn)
        case .up(let up): beginEnding(up, .requested, next: .rest, &turn)
        case .ending(var ending):
            ending.next = .rest
            state = .ending(ending)
            // Its caller learns what a new try achieves, not what an old one did not.
            if ending.step == .stuck { kill(ending, &turn) }
        }
    }

    /// Goes down; nothing needs to outlive the daemon any more.
    mutating func rest(_ rest: Rest, _ turn: inout Turn) {
        state = .down(rest)
        forgetHeld(&turn)
    }

    /// Lets pm-init drop the record of the last dead incarnation.
    mutating func forgetHeld(_ turn: inout Turn) {
        guard let incarnation = held else { return }
        held = nil
        turn.act(.forget(incarnation: incarnation))
    }

    /// Begins the next incarnation.
    mutating func spawn(_ turn: inout Turn) {
        incarnation += 1
        state = .starting(Starting(incarnation: incarnation))
        turn.act(.spawn(incarnation: incarnation))
    }

    /// Begins the next incarnation without anybody having asked.
    mutating func restart(_ turn: inout Turn) {
        restarts = restarts == .max ? .max : restarts + 1
        spawn(&turn)
    }
}
