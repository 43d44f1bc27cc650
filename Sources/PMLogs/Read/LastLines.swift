/// The last bytes of an instance's output, for its death record, and its first ones: a stack may be longer than what is
/// kept, and its message comes before it. At most 10 KB, nothing before the first output.
struct LastLines {
    static let limit = 8192
    private static let headLimit = 2048

    private struct Piece {
        var stamp: LogStamp
        var count: Int
    }

    private var bytes: [UInt8] = []
    private var pieces: [Piece] = []
    private var isCut = false
    /// The first bytes, once they are not among the last ones any more.
    private var head: [UInt8] = []
    /// The bytes of all output so far.
    private var total = 0

    /// True once the first bytes need not be shown again.
    var hasHead: Bool { head.count == Self.headLimit }

    /// Takes the last of `count` bytes that arrived at once: all of them, or, once it has its head, at least `limit`.
    mutating func append(_ new: UnsafeRawBufferPointer, of count: Int, _ stamp: LogStamp) {
        // bounded: an array in memory and a chunk.
        if !hasHead, bytes.count + new.count > Self.limit {
            if head.isEmpty { head = Array(bytes.prefix(Self.headLimit)) }
            head += new.prefix(Self.headLimit - head.count)
        }
        total = total.plus(count)
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

    /// The first lines, and the last ones.
    var output: [String] {
        let tail = lines(.max).map(\.text)
        guard isCut else { return tail }
        let missing = total - bytes.count
        // Nothing between them is lost, and no line may be there twice.
        guard missing > head.count else { return Self.split(head.prefix(missing) + bytes) }
        // The last line of the head is cut.
        return Self.split(head[...]).dropLast() + tail
    }

    private static func split(_ bytes: ArraySlice<UInt8>) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
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
