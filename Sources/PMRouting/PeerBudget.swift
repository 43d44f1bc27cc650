import PMModel
public import PMSystem

/// What all peers share: the daemon's time, and its memory for lines that are not finished and bytes that are not taken.
@PMActor
public final class PeerBudget {
    /// Why a connection is ended.
    static let refusal = "all connections together wait with more than \(PeerLimits.memory >> 20) MB"

    let reactor: Reactor
    /// The turn that is measured, and since when.
    private var turn: UInt64 = 0
    private var begun = MonotonicTime(nanoseconds: 0)
    /// Connections with messages that were not handled for want of time, the first to go on first.
    private var cutOff: [Connection] = []
    /// Connections that hold much; their number bounds what the others hold.
    private var large: [ObjectIdentifier: Connection] = [:]

    /// Shares nothing yet.
    public init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    // MARK: time

    /// Whether there is time left in this turn.
    var hasTime: Bool {
        let now = reactor.clock.monotonic()
        if turn != reactor.turn { (turn, begun) = (reactor.turn, now) }
        return now - begun < PeerLimits.timeATurn
    }

    /// Lets a connection that is paused go on when nobody else waits. Who comes with a first message does not wait for it.
    func postpone(_ connection: Connection) {
        cutOff.append(connection)
        if cutOff.count == 1 { planNext() }
    }

    private func planNext() {
        reactor.whenSpare { [self] in goOn() }
    }

    private func goOn() {
        var due = cutOff[...]
        cutOff = []
        repeat { due.popFirst()?.resume() } while !due.isEmpty && hasTime
        let isPlanned = !cutOff.isEmpty
        cutOff = due + cutOff
        if !cutOff.isEmpty && !isPlanned { planNext() }
    }

    // MARK: memory

    /// Whether a connection may hold what it holds now.
    func admits(_ connection: Connection) -> Bool {
        guard connection.held > PeerLimits.freeMemory else { return true }
        large[ObjectIdentifier(connection)] = connection
        var total = 0
        for (key, other) in large {
            let held = other.held
            if held > PeerLimits.freeMemory { total += held } else { large[key] = nil }
        }
        return total <= PeerLimits.memory
    }

    /// Forgets a connection that is gone.
    func release(_ connection: Connection) {
        large[ObjectIdentifier(connection)] = nil
    }
}
