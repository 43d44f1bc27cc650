import PMModel
import PMSupervisor

/// How long answers may take after the last request, with the settings of the simulation.
enum Bounds {
    /// Open calls 2 s, `$stop` and the two steps 2 + 2 + 1 s, SIGKILL 5 s, and a second for the messages.
    static let stop = Duration.seconds(13)
    /// A stop that is under way, then a spawn and its readiness deadline of 3 s.
    static let start = Duration.seconds(17)
}

extension Simulation {
    /// What holds after every event.
    func check(_ actions: [UnitAction]) throws {
        try checkReadiness()
        try checkTimer()
        try checkAnswers()
        try checkSnapshot(actions)
        if let isWanted, (machine.desired == .up) != isWanted { throw Violation(rule: "the last request counts") }
        if isWanted == nil, machine.phase != .down { throw Violation(rule: "nothing runs that nobody asked for") }
        let living = world.records.values.count { $0.living > 0 }
        guard living <= 1 else { throw Violation(rule: "never two incarnations") }
        guard world.records.count <= 2 else { throw Violation(rule: "no more than one dead record is kept") }
        guard machine.history.deaths.count <= RestartHistory.capacity else {
            throw Violation(rule: "the history is bounded")
        }
    }

    private func checkReadiness() throws {
        guard machine.isReady == isReady else { throw Violation(rule: "readiness is told") }
        if isReady, machine.phase != .up { throw Violation(rule: "never ready while down") }
        if isProbing, isReady || machine.phase != .up { throw Violation(rule: "only the unready are checked") }
    }

    /// Every wait has an end; where nothing is waited for there is no timer, so an idle unit costs nothing.
    private func checkTimer() throws {
        switch machine.state {
        case .down: if timer != nil { throw Violation(rule: "no timer without a wait") }
        case .starting:
            if (launched == machine.incarnation) == (timer == nil) {
                throw Violation(rule: "a start under way has an end")
            }
        case .up(let up):
            if up.isReady != (timer == nil) { throw Violation(rule: "a timer exactly while readiness is awaited") }
        case .stopping: if timer == nil { throw Violation(rule: "every stop ends") }
        case .backingOff(let until): try checkPause(until, at: settings.restart.maxDelay)
        case .cooling(let until): try checkPause(until, at: settings.restart.coolingDelay)
        }
    }

    private func checkPause(_ until: MonotonicTime, at most: Duration) throws {
        guard timer?.at == until else { throw Violation(rule: "a pause ends by the timer") }
        guard until - world.now <= most else { throw Violation(rule: "backoff is bounded") }
    }

    /// Every request is answered, and in time.
    func checkAnswers() throws {
        let waited = world.now - lastWish
        if stops > 0, waited > Bounds.stop { throw Violation(rule: "every stop is answered") }
        if startsForReady + startsForSpawn > 0, waited > Bounds.start {
            throw Violation(rule: "every start is answered")
        }
        switch machine.phase {
        case .down, .backingOff, .cooling:
            let open = stops + startsForReady + startsForSpawn
            if open > 0 { throw Violation(rule: "nobody waits where nothing happens") }
        case .starting, .up, .stopping, .sweeping, .stuck: break
        }
    }

    private func checkSnapshot(_ actions: [UnitAction]) throws {
        guard actions.last == .stateChanged else { return }
        let bytes = machine.snapshot.encode()
        guard bytes.count <= UnitSnapshot.maximumSize else { throw Violation(rule: "a snapshot fits") }
        guard UnitSnapshot(decoding: bytes) == machine.snapshot else {
            throw Violation(rule: "a decoded snapshot is the state")
        }
    }

    /// After the last stop: nothing lives, nothing is kept, and nothing that comes late does anything.
    mutating func checkEnd() throws {
        if machine.phase == .stuck { try settle(until: world.now + .seconds(180)) }
        guard machine.phase == .down else {
            let record = world.records[machine.incarnation]
            let forever = record?.alive.contains { record?[$0].hangsUntil ?? world.now > world.now }
            guard machine.phase == .stuck, forever == true else { throw Violation(rule: "every stop ends") }
            return
        }
        guard world.records.values.allSatisfy({ $0.living == 0 }) else { throw Violation(rule: "nothing lives on") }
        guard world.records.isEmpty || isAfterCrash else { throw Violation(rule: "nothing is kept") }
        let before = machine
        let late: [ChildEvent] = [
            .starting(pid: 1), .spawned(pid: 1), .ready, .exited(ExitReport(reason: .crash)), .treeReport(survivors: 1),
            .drained, .stopCommandFinished(.failed), .unresponsive(.restart, seen: ""),
        ]
        let events = late.map { UnitEvent.child($0, incarnation: machine.incarnation) }
        for event in events + oldTokens.map({ .timerFired(token: $0) }) {
            guard machine.handle(event, at: world.now).isEmpty, machine == before else {
                throw Violation(rule: "no action after the end")
            }
        }
    }
}
