/// Pieces of work that wait until nothing else is to be done, first come, first served.
struct IdleQueue {
    typealias Body = @PMActor () -> Void

    /// After so many turns with something else to do a piece is done all the same.
    static let busyTurnsLimit = 4

    private var bodies: [Body] = []
    private var first = 0
    private var busyTurns = 0

    var isEmpty: Bool { first == bodies.count }

    mutating func add(_ body: @escaping Body) {
        bodies.append(body)
    }

    /// The piece that is done in this turn; nil when it has to wait because the turn was busy.
    mutating func next(isBusy: Bool) -> Body? {
        guard !isEmpty else { return nil }
        busyTurns = isBusy ? busyTurns + 1 : 0
        if isBusy && busyTurns < Self.busyTurnsLimit { return nil }
        busyTurns = 0
        let body = bodies[first]
        first += 1
        if isEmpty {
            bodies.removeAll(keepingCapacity: true)
            first = 0
        }
        return body
    }
}
