/// Divides the room of the file of events: each service has the same share, what it does not need is the others', and its newest
/// events stay. A service that makes thousands of events so pushes out only its own.
public struct EventShares {
    private struct Piece {
        let group: Int
        let bytes: Int
        var isPinned = false
    }

    private var numbers: [String: Int] = [:]
    private var groupBytes: [Int] = []
    private var pieces: [Piece] = []

    /// No events yet.
    public init() {}

    /// The number of events.
    public var count: Int { pieces.count }

    /// Adds an event, newer than those before it.
    public mutating func add(of group: String, bytes: Int) {
        let number = numbers[group] ?? groupBytes.count
        if number == groupBytes.count {
            numbers[group] = number
            groupBytes.append(0)
        }
        groupBytes[number] = groupBytes[number].plus(bytes)
        pieces.append(Piece(group: number, bytes: bytes))
    }

    /// Keeps an event whatever its share is.
    public mutating func pin(_ index: Int) { pieces[index].isPinned = true }

    /// Whether each event stays when at most so many bytes do, but for those that are pinned.
    public func kept(within most: Int) -> [Bool] {
        var room = rooms(within: most)
        var kept = pieces.map(\.isPinned)
        for piece in pieces where piece.isPinned { room[piece.group] = room[piece.group].minus(piece.bytes) }
        for index in pieces.indices.reversed() where !kept[index] {
            let piece = pieces[index]
            // The first that finds no room is the end of what stays of its service: no gap among the newest.
            guard room[piece.group] >= piece.bytes else {
                room[piece.group] = 0
                continue
            }
            room[piece.group] -= piece.bytes
            kept[index] = true
        }
        return kept
    }

    /// The room of each group. Those that need least are served first, so that what they leave is divided among the others.
    private func rooms(within most: Int) -> [Int] {
        var rooms = groupBytes
        var (left, groups) = (max(0, most), groupBytes.count)
        for group in groupBytes.indices.sorted(by: { groupBytes[$0] < groupBytes[$1] }) {
            rooms[group] = min(groupBytes[group], left / groups)
            left -= rooms[group]
            groups -= 1
        }
        return rooms
    }
}
