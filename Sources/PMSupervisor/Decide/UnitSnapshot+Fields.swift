import PMModel

/// The first byte of an encoded state.
private enum StateTag: UInt8 {
    case down, starting, up, stopping, backingOff, cooling
}

/// The first byte of an encoded `Stopping.Next`; a time follows.
private enum NextTag: UInt8 {
    case rest, start, restart, cool, finish
}

/// The first byte of an encoded `Stopping.Step`; an index follows.
private enum StepTag: UInt8 {
    case command, commandAnswered, signalled, killing, stuck, draining
}

private let millisecond: UInt64 = 1_000_000

extension ByteWriter {
    mutating func put(_ state: UnitState) {
        switch state {
        case .down(let rest):
            put(StateTag.down.rawValue)
            put(rest.rawValue)
        case .starting(let starting):
            put(StateTag.starting.rawValue)
            put(starting.then.rawValue)
        case .up(let up): put(up)
        case .stopping(let stopping): put(stopping)
        case .backingOff(let time):
            put(StateTag.backingOff.rawValue)
            put(time)
        case .cooling(let time):
            put(StateTag.cooling.rawValue)
            put(time)
        }
    }

    /// The deaths are whole milliseconds: each but the newest is written as its distance to that one.
    mutating func put(_ history: RestartHistory) {
        put(history.attempt)
        put(UInt8(history.isCooling ? 1 : 0))
        put(UInt8(history.deaths.count))
        guard let newest = history.deaths.last else { return }
        put(newest)
        for death in history.deaths.dropLast() {
            put(UInt32(clamping: newest.nanoseconds.minus(death.nanoseconds) / millisecond))
        }
    }

    private mutating func put(_ up: Up) {
        put(StateTag.up.rawValue)
        put(up.pid)
        put(up.startedAt)
        switch up.readiness {
        case .ready: put(UInt64.zero)
        case .waiting(let deadline): put(max(1, deadline.nanoseconds))
        }
    }

    private mutating func put(_ stopping: Stopping) {
        put(StateTag.stopping.rawValue)
        put(stopping.cause.rawValue)
        put(stopping.next)
        switch stopping.leader {
        case .gone:
            put(Int32.zero)
            put(UInt64.zero)
        case .alive(let pid, let startedAt):
            put(pid)
            put(startedAt)
        }
        put(stopping.step)
        put(stopping.deadline)
        put(stopping.pause.nanoseconds)
        put(stopping.survivors)
    }

    private mutating func put(_ next: Stopping.Next) {
        switch next {
        case .rest: put(NextTag.rest, MonotonicTime(nanoseconds: 0))
        case .start: put(NextTag.start, MonotonicTime(nanoseconds: 0))
        case .restart(let time): put(NextTag.restart, time)
        case .cool(let time): put(NextTag.cool, time)
        case .finish: put(NextTag.finish, MonotonicTime(nanoseconds: 0))
        }
    }

    private mutating func put(_ tag: NextTag, _ time: MonotonicTime) {
        put(tag.rawValue)
        put(time)
    }

    private mutating func put(_ step: Stopping.Step) {
        switch step {
        case .draining: put(StepTag.draining, 0)
        case .command: put(StepTag.command, 0)
        case .commandAnswered: put(StepTag.commandAnswered, 0)
        case .signalled(let index): put(StepTag.signalled, index)
        case .killing: put(StepTag.killing, 0)
        case .stuck: put(StepTag.stuck, 0)
        }
    }

    private mutating func put(_ tag: StepTag, _ index: UInt16) {
        put(tag.rawValue)
        put(index)
    }
}

extension ByteReader {
    mutating func readState(incarnation: UInt64) -> UnitState? {
        guard let tag = read(UInt8.self).flatMap(StateTag.init) else { return nil }
        switch tag {
        case .down: return read(UInt8.self).flatMap(DownReason.init).map { .down($0) }
        case .starting:
            let then = read(UInt8.self).flatMap(Starting.Then.init)
            return then.map { .starting(Starting(incarnation: incarnation, then: $0)) }
        case .up: return readUp(incarnation: incarnation).map { .up($0) }
        case .stopping: return readStopping(incarnation: incarnation).map { .stopping($0) }
        case .backingOff: return readTime().map { .backingOff(until: $0) }
        case .cooling: return readTime().map { .cooling(until: $0) }
        }
    }

    mutating func readHistory() -> RestartHistory? {
        guard let attempt = read(UInt16.self), let cooling = read(UInt8.self), cooling <= 1,
            let count = read(UInt8.self), count <= RestartHistory.capacity, let deaths = readDeaths(Int(count))
        else { return nil }
        var history = RestartHistory()
        history.attempt = attempt
        history.isCooling = cooling == 1
        history.deaths = deaths
        return history
    }

    private mutating func readDeaths(_ count: Int) -> [MonotonicTime]? {
        guard count > 0 else { return [] }
        guard let newest = readTime() else { return nil }
        var deaths: [MonotonicTime] = []
        deaths.reserveCapacity(count)
        for _ in 1..<count {
            guard let distance = read(UInt32.self), UInt64(distance).times(millisecond) <= newest.nanoseconds
            else { return nil }
            deaths.append(MonotonicTime(nanoseconds: newest.nanoseconds.minus(UInt64(distance).times(millisecond))))
        }
        return deaths + [newest]
    }

    private mutating func readUp(incarnation: UInt64) -> Up? {
        guard let pid = read(Int32.self), let startedAt = readTime(), let deadline = readTime() else { return nil }
        let readiness: Up.Readiness = deadline.nanoseconds == 0 ? .ready : .waiting(deadline: deadline)
        return Up(incarnation: incarnation, pid: pid, startedAt: startedAt, readiness: readiness)
    }

    private mutating func readStopping(incarnation: UInt64) -> Stopping? {
        guard let cause = read(UInt8.self).flatMap(Stopping.Cause.init), let next = readNext(),
            let pid = read(Int32.self), let startedAt = readTime(), let step = readStep(),
            let deadline = readTime(), let pause = read(Int64.self), pause >= 0, let survivors = read(UInt32.self)
        else { return nil }
        return Stopping(
            incarnation: incarnation, cause: cause, next: next,
            leader: pid == 0 ? .gone : .alive(pid: pid, startedAt: startedAt), step: step, deadline: deadline,
            pause: .nanoseconds(pause), survivors: survivors)
    }

    private mutating func readNext() -> Stopping.Next? {
        guard let tag = read(UInt8.self).flatMap(NextTag.init), let time = readTime() else { return nil }
        switch tag {
        case .rest: return .rest
        case .start: return .start
        case .restart: return .restart(at: time)
        case .cool: return .cool(until: time)
        case .finish: return .finish
        }
    }

    private mutating func readStep() -> Stopping.Step? {
        guard let tag = read(UInt8.self).flatMap(StepTag.init), let index = read(UInt16.self), index < .max
        else { return nil }
        switch tag {
        case .draining: return .draining
        case .command: return .command
        case .commandAnswered: return .commandAnswered
        case .signalled: return .signalled(index)
        case .killing: return .killing
        case .stuck: return .stuck
        }
    }
}
