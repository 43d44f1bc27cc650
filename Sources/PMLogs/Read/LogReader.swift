public import PMModel
public import PMSystem

/// Which part of a log is wanted.
public struct LogQuery: Equatable, Sendable {
    /// At most this many lines, the last ones; nil: all.
    public var lines: Int?
    /// Only lines that began at this time or later.
    public var since: WallTime?
    /// Position at which to stop; nil: the end at the time of the query.
    public var until: LogPosition?
    /// True when a follower reads on: unfinished lines are then left in the assembler.
    public var isFollowed: Bool
    /// Only lines of these streams.
    public var streams = Set(LogStream.allCases)

    /// More lines than any log holds, with room to count further.
    private static let mostLines = Int.max / 2

    /// Makes a query; by default for everything.
    public init(lines: Int? = nil, since: WallTime? = nil, until: LogPosition? = nil, isFollowed: Bool = false) {
        self.lines = lines.map { min(max(0, $0), Self.mostLines) }
        self.since = since
        self.until = until
        self.isFollowed = isFollowed
    }
}

/// Reads the history of units from their segments; it needs no daemon.
public struct LogReader: Sendable {
    private let directory: LogDirectory

    /// Names the directory of all logs.
    public init(_ directory: LogDirectory) {
        self.directory = directory
    }

    /// The units that have a log, sorted.
    ///
    /// - Throws: `SystemError` when the directory cannot be read; one that does not exist has no units.
    public func units() throws(SystemError) -> [String] {
        guard try Files.status(directory.root) != nil else { return [] }
        var units: [String] = []
        for name in try Files.list(directory.root) {
            if let unit = try directory.unit(of: name) { units.append(unit) }
        }
        return units.sorted()
    }

    /// The wanted lines of a unit, in the order in which they ended; none when it has no log.
    ///
    /// - Throws: `SystemError` when the files cannot be read.
    public func lines(of unit: String, _ query: LogQuery = LogQuery()) throws(SystemError) -> LogLines {
        let files = SegmentFiles(directory, of: unit)
        var query = query
        // What comes while the lines are read belongs to those who follow, who would otherwise get it twice.
        if query.until == nil { query.until = try end(of: unit) }
        return LogLines(query, files, from: try TailSearch.start(query, in: files))
    }

    /// The wanted lines of several units, oldest first; `query.lines` counts all units together, and `ends` are where
    /// those of single units stop.
    ///
    /// - Throws: `SystemError` when the files cannot be read.
    public func lines(
        of units: [String], _ query: LogQuery = LogQuery(), until ends: [String: LogPosition] = [:]
    ) throws(SystemError) -> MergedLogLines {
        var sources: [(String, LogLines)] = []
        for unit in units {
            var query = query
            query.until = ends[unit] ?? query.until
            sources.append((unit, try lines(of: unit, query)))
        }
        return MergedLogLines(sources, limit: query.lines)
    }

    /// The present end of a unit's log; nil when it has none.
    ///
    /// - Throws: `SystemError` when the files cannot be read.
    public func end(of unit: String) throws(SystemError) -> LogPosition? {
        let files = SegmentFiles(directory, of: unit)
        guard let last = try files.sequences().last else { return nil }
        return LogPosition(sequence: last, offset: Int(try Files.status(files.data(last))?.size ?? 0))
    }

    /// Lines from a position on, to go on after a `LogLines` that ended there.
    public func lines(of unit: String, from position: LogPosition, _ query: LogQuery = LogQuery()) -> LogLines {
        LogLines(query, SegmentFiles(directory, of: unit), from: position)
    }

    /// The bytes of a unit between two positions, as they arrived; bytes that rotation has removed are left out.
    public func chunks(of unit: String, from position: LogPosition, until end: LogPosition) -> LogChunks {
        LogChunks(SegmentCursor(SegmentFiles(directory, of: unit), from: position, until: end))
    }
}

/// Output as it arrived, read from disk as it is asked for.
public struct LogChunks {
    /// Bytes that arrived at once, or a part of them, and where they end in the log.
    public struct Chunk: Sendable {
        /// The bytes.
        public let bytes: [UInt8]
        /// Properties of the bytes.
        public let stamp: LogStamp
        /// Position after the bytes.
        public let end: LogPosition
    }

    private var cursor: SegmentCursor

    init(_ cursor: SegmentCursor) {
        self.cursor = cursor
    }

    /// The next one; nil at the end.
    ///
    /// - Throws: `SystemError` when the files cannot be read.
    public mutating func next() throws(SystemError) -> Chunk? {
        var piece: ([UInt8], LogStamp)?
        // A step from one record to the next brings no bytes.
        while piece == nil {
            guard try cursor.next({ piece = (Array($0), $1) }) else { return nil }
        }
        return piece.map { Chunk(bytes: $0.0, stamp: $0.1, end: cursor.position) }
    }
}
