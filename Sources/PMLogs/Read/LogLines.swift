import PMModel
public import PMSystem

/// The lines of a query, read from disk as they are asked for, a block at a time.
public struct LogLines {
    private let query: LogQuery
    private var cursor: SegmentCursor?
    private var ready: LineQueue
    /// Unfinished lines at the end of the query: a follower feeds it the next bytes.
    public private(set) var assembler = LineAssembler()
    /// The place up to which bytes have been read; nil when the unit has no log.
    public var position: LogPosition? { cursor?.position }

    init(_ query: LogQuery, _ files: SegmentFiles, from start: LogPosition?) {
        self.query = query
        cursor = start.map { SegmentCursor(files, from: $0, until: query.until) }
        ready = LineQueue(last: query.lines)
    }

    /// The next line; nil at the end.
    ///
    /// - Throws: `SystemError` when the files cannot be read.
    public mutating func next() throws(SystemError) -> LogLine? {
        // With a limit nothing can be handed out before the end has been seen.
        while (ready.isEmpty || ready.isLimited) && cursorIsReading {
            if try !readOn() { finish() }
        }
        return ready.popFirst()
    }

    private var cursorIsReading = true

    private mutating func readOn() throws(SystemError) -> Bool {
        let query = query
        // Taken out and put back, so that they are changed in place and not copied.
        var (queue, lines) = (LineQueue(last: nil), LineAssembler())
        swap(&queue, &ready)
        swap(&lines, &assembler)
        defer { (ready, assembler) = (queue, lines) }
        return try cursor?.next { bytes, stamp in
            lines.feed(bytes, stamp) { if query.wants($0) { queue.append($0) } }
        } ?? false
    }

    private mutating func finish() {
        cursorIsReading = false
        guard !query.isFollowed else { return }
        let query = query
        assembler.finish { if query.wants($0) { ready.append($0) } }
    }
}

extension LogQuery {
    /// True for a line of a wanted stream and time.
    fileprivate func wants(_ line: LogLine) -> Bool {
        streams.contains(line.stream) && line.time >= since ?? line.time
    }
}

/// Lines that wait to be handed out; with a limit, only the last ones.
struct LineQueue {
    private let limit: Int?
    private var lines: [LogLine] = []
    private var head = 0

    init(last limit: Int?) {
        self.limit = limit
    }

    var isLimited: Bool { limit != nil }

    var isEmpty: Bool { head == lines.count }

    mutating func append(_ line: LogLine) {
        lines.append(line)
        if let limit, lines.count - head > limit { head += 1 }
        compact()
    }

    mutating func popFirst() -> LogLine? {
        guard head < lines.count else { return nil }
        defer {
            head += 1
            compact()
        }
        return lines[head]
    }

    private mutating func compact() {
        if head > 256 && head * 2 > lines.count {
            lines.removeFirst(head)
            head = 0
        } else if head == lines.count {
            lines.removeAll(keepingCapacity: true)
            head = 0
        }
    }
}
