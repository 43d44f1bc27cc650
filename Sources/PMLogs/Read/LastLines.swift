/// The last bytes of an instance's output, for its death record: at most 8 KB, nothing before the first output.
struct LastLines {
    static let limit = 8192

    private struct Piece {
        var stamp: LogStamp
        var count: Int
    }

    private var bytes: [UInt8] = []
    private var pieces: [Piece] = []
    private var isCut = false

    /// Takes the last of `count` bytes that arrived at once: all of them, or at least `limit`.
    mutating func append(_ new: UnsafeRawBufferPointer, of count: Int, _ stamp: LogStamp) {
        let kept = new.suffix(Self.limit)
        makeRoom(for: kept.count)
        if kept.count < count { isCut = true }
        bytes.append(contentsOf: kept)
        if let last = pieces.last, last.stamp.stream == stamp.stream, !stamp.startsAnew {
            pieces[pieces.count - 1].count += kept.count
        } else {
            pieces.append(Piece(stamp: stamp, count: kept.count))
        }
    }

    /// The last lines, oldest first, both outputs together; a line whose beginning is gone is left out unless it is
    /// all there is.
    func lines(_ count: Int) -> [LogLine] {
        var lines: [LogLine] = []
        var assembler = LineAssembler()
        bytes.withUnsafeBytes { all in
            var start = 0
            for piece in pieces {
                let part = UnsafeRawBufferPointer(rebasing: all[start..<(start + piece.count)])
                assembler.feed(part, piece.stamp) { lines.append($0) }
                start += piece.count
            }
        }
        assembler.finish { lines.append($0) }
        if isCut && lines.count > 1 { lines.removeFirst() }
        return lines.suffix(count)
    }

    private mutating func makeRoom(for count: Int) {
        var surplus = bytes.count + count - Self.limit
        guard surplus > 0 else { return }
        isCut = true
        bytes.removeFirst(surplus)
        while surplus > 0, let first = pieces.first {
            if first.count > surplus {
                pieces[0].count -= surplus
                return
            }
            surplus -= first.count
            pieces.removeFirst()
        }
    }
}
