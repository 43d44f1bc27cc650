import Glibc
import PMModel
import PMSystem

/// Finds, from the end, the place from which the last lines of a log can be read whole.
///
/// A newline ends exactly one line, whatever its stream, so counting newlines backwards counts lines. Once there are
/// enough, the search goes on until each stream of a counted line has shown where that line begins. An unfinished line
/// whose last byte is older than all of that is not found.
struct TailSearch {
    /// A line that begins further back than this is cut.
    private static let extraBytesLimit = 1 << 20

    private let lines: Int?
    private let since: WallTime?
    private let streams: Set<LogStream>
    private var found = 0
    private var isOld = false
    private var beginnings: [Beginning]
    private var extraBytes = 0

    /// Progress in the search for the oldest wanted line of a stream.
    private enum Beginning {
        case nothingSeen, wanted, known
    }

    init(_ query: LogQuery) {
        // Of each stream, one line that ends after `since` may have begun before it and will not count.
        let surplus = query.since == nil ? 0 : LogStream.allCases.count
        lines = query.lines.map { $0 > 0 ? $0 + surplus : 0 }
        since = query.since
        streams = query.streams
        beginnings = [Beginning](repeating: .nothingSeen, count: LogStream.allCases.count)
    }

    /// The place to start reading from; nil when the unit has no log.
    static func start(_ query: LogQuery, in files: SegmentFiles) throws(SystemError) -> LogPosition? {
        let sequences = try files.sequences()
        guard let first = sequences.first else { return nil }
        guard query.lines != nil || query.since != nil else { return LogPosition(sequence: first, offset: 0) }
        var search = TailSearch(query)
        for sequence in sequences.reversed() {
            guard var segment = try SegmentReader(sequence, in: files) else { break }
            if let offset = try search.visit(&segment) { return LogPosition(sequence: sequence, offset: offset) }
        }
        return LogPosition(sequence: first, offset: 0)
    }

    private var isEnough: Bool { isOld || found >= lines ?? .max }

    private var isDone: Bool {
        isEnough && (extraBytes > Self.extraBytesLimit || !beginnings.contains(.wanted))
    }

    private mutating func visit(_ segment: inout SegmentReader) throws(SystemError) -> Int? {
        var end = segment.size
        if isDone { return end }
        for place in stride(from: segment.recordCount - 1, through: -1, by: -1) {
            guard place >= 0 || end > 0 else { break }
            guard let record = try segment.record(place), record.offset <= end else { continue }
            if let offset = try visit(record.offset..<end, record.stamp, &segment) { return offset }
            end = record.offset
        }
        return nil
    }

    private mutating func visit(_ range: Range<Int>, _ stamp: LogStamp, _ segment: inout SegmentReader)
        throws(SystemError) -> Int?
    {
        if let since, stamp.time < since { isOld = true }
        guard streams.contains(stamp.stream) else { return isDone ? range.lowerBound : nil }
        let slot = Int(stamp.stream.rawValue)
        if lines == nil && !isOld {
            // Only the time matters: the bytes need not be read.
            if !range.isEmpty { beginnings[slot] = .wanted }
        } else if let offset = try scan(range, slot, &segment) {
            return offset
        }
        if isEnough { extraBytes += range.count }
        if stamp.startsAnew { beginnings[slot] = .known }
        return isDone ? range.lowerBound : nil
    }

    private mutating func scan(_ range: Range<Int>, _ slot: Int, _ segment: inout SegmentReader)
        throws(SystemError) -> Int?
    {
        var end = range.upperBound
        while end > range.lowerBound {
            let bytes = try segment.tail(of: range.lowerBound..<end)
            if bytes.isEmpty { break }
            // An unfinished line: nothing of it may be handed out without its beginning.
            if end == range.upperBound, bytes.last != 10, beginnings[slot] == .nothingSeen { count(slot) }
            let origin = end - bytes.count
            var rest = bytes
            while let place = rest.lastIndex(of: 10) {
                let next = origin + (place - bytes.startIndex) + 1
                if isEnough { beginnings[slot] = .known } else { count(slot) }
                if isDone { return next }
                rest = rest[..<place]
            }
            end = origin
        }
        return nil
    }

    private mutating func count(_ slot: Int) {
        found += 1
        beginnings[slot] = .wanted
    }
}
