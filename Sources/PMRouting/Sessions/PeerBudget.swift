import PMModel
public import PMSystem

/// Limits that all peers share: the daemon's time, and its memory for unfinished lines and unread bytes.
@PMActor
public final class PeerBudget {
    /// Why a connection is ended.
    static let refusal = "all connections together wait with more than \(PeerLimits.memory >> 20) MB"

    let reactor: Reactor
    /// The turn that is measured, and since when.
    private var turn: UInt64 = 0
    private var begun = MonotonicTime(nanoseconds: 0)
    /// Connections with messages that were not handled without time, the first to go on first.
    private var cutOff: [Connection] = []
    /// Connections that hold much; their number bounds what the others hold.
    private var large: [ObjectIdentifier: Connection] = [:]
    /// Bytes that peers held at the last count, those with limited rights apart.
    private var counted = 0, countedOfLimited = 0

    /// Begins with nothing counted.
    public init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    // MARK: time

    /// True when there is time left in this turn.
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
        reactor.whenIdle { [self] in goOn() }
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

    /// True when a connection may hold as much as it does now.
    func admits(_ connection: Connection) -> Bool {
        let held = connection.held
        guard held > PeerLimits.freeMemory else { return true }
        large[ObjectIdentifier(connection)] = connection
        count(connection, held)
        return !isFull && !(connection.isLimited && isFullOfLimited)
    }

    /// True when all connections together hold as much as they may. What was handled since the last count is noticed by
    /// counting again.
    var isFull: Bool {
        if counted > PeerLimits.memory { countAgain() }
        return counted > PeerLimits.memory
    }

    /// True when the connections with limited rights hold as much as they may, in the same way.
    private var isFullOfLimited: Bool {
        if countedOfLimited > PeerLimits.memoryOfLimited { countAgain() }
        return countedOfLimited > PeerLimits.memoryOfLimited
    }

    /// A connection is limited from now on, or no more.
    func limitChanged(of connection: Connection) {
        countedOfLimited += connection.isLimited ? connection.counted : -connection.counted
    }

    private func count(_ connection: Connection, _ held: Int) {
        counted += held - connection.counted
        if connection.isLimited { countedOfLimited += held - connection.counted }
        connection.counted = held
        precondition(counted >= 0 && countedOfLimited >= 0, "connections hold less than nothing")
    }

    /// Counts again. Bytes that were handled or read since the last count are not reported: they are noticed when there
    /// seems to be too much.
    private func countAgain() {
        for (key, connection) in large {
            let held = connection.held
            count(connection, held > PeerLimits.freeMemory ? held : 0)
            if connection.counted == 0 { large[key] = nil }
        }
    }

    /// Forgets a connection that is gone.
    func release(_ connection: Connection) {
        guard large.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        count(connection, 0)
    }
}
