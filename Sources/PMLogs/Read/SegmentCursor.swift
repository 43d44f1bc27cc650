import Glibc
import PMModel
import PMSystem

/// Walks forward through the segments of a unit, chunk by chunk, from a position to the present end of the log.
///
/// Rotation may remove segments meanwhile. A notice takes their place, and an unfinished line before them ends there.
struct SegmentCursor {
    /// The notice in place of missing lines.
    static let gapNotice = "pm: lines are missing here, because the log was rotated before they were read\n"

    private let files: SegmentFiles
    private let end: LogPosition?
    private var segment: SegmentReader?
    private var current: IndexRecord?
    private var nextPlace = 0
    /// True when bytes are missing before the next ones, and the streams whose lines do not go on after them.
    private var hasGap = false
    private var brokenOff: Set<LogStream> = []
    /// The next byte to be read.
    private(set) var position: LogPosition

    /// Starts at a position; reads to `end`, or to what is there when it is nil.
    init(_ files: SegmentFiles, from position: LogPosition, until end: LogPosition? = nil) {
        self.files = files
        self.position = position
        self.end = end
    }

    /// Hands the next run of bytes with one stamp to `body`; false when the end is reached.
    mutating func next(_ body: (UnsafeRawBufferPointer, LogStamp) -> Void) throws(SystemError) -> Bool {
        while try openSegment() {
            do throws(SystemError) {
                if try read(body) { return true }
            } catch  where error.code == ENOENT {
                // Rotation removed it between two blocks.
                noteGap()
            }
            guard try moveOn() else { return false }
        }
        return false
    }

    private var segmentEnd: Int {
        let size = segment?.size ?? 0
        guard let end, end.sequence == position.sequence else { return size }
        return min(size, end.offset)
    }

    private mutating func openSegment() throws(SystemError) -> Bool {
        while segment == nil {
            if let end, position >= end { return false }
            guard var opened = try SegmentReader(position.sequence, in: files) else {
                if position != .start { noteGap() }
                guard try moveOn() else { return false }
                continue
            }
            let place = position.offset == 0 ? -1 : try opened.place(of: position.offset)
            current = try opened.record(place)
            nextPlace = place + 1
            segment = opened
        }
        return true
    }

    private mutating func moveOn() throws(SystemError) -> Bool {
        let newer = try files.sequences().first { $0 > position.sequence }
        guard let newer, newer <= end?.sequence ?? .max else { return false }
        if newer > position.sequence.plus(1), position != .start { noteGap() }
        segment = nil
        position = LogPosition(sequence: newer, offset: 0)
        return true
    }

    private mutating func noteGap() {
        hasGap = true
        brokenOff = [.out, .err]
    }

    /// Hands out the notice of a gap that is before the next bytes.
    private mutating func tellGap(at time: WallTime, _ body: (UnsafeRawBufferPointer, LogStamp) -> Void) {
        guard hasGap else { return }
        hasGap = false
        Array(Self.gapNotice.utf8).withUnsafeBytes { body($0, LogStamp(.notice, at: time, startsAnew: true)) }
    }

    /// Hands out the next run of the open segment; false at its end.
    private mutating func read(_ body: (UnsafeRawBufferPointer, LogStamp) -> Void) throws(SystemError) -> Bool {
        guard let record = current else { return false }
        let next = try nextRecord(after: record)
        var stamp = record.stamp
        stamp.startsAnew = stamp.startsAnew && record.offset == position.offset
        tellGap(at: stamp.time, body)
        let chunkEnd = min(next?.offset ?? segmentEnd, segmentEnd)
        if position.offset < chunkEnd {
            guard let bytes = try segment?.head(of: position.offset..<chunkEnd), !bytes.isEmpty else { return false }
            if brokenOff.remove(stamp.stream) != nil { stamp.startsAnew = true }
            bytes.withUnsafeBytes { body($0, stamp) }
            position = LogPosition(sequence: position.sequence, offset: position.offset + bytes.count)
            return true
        }
        guard let next, next.offset == position.offset else { return false }
        // A record whose bytes never came may still say that the stream started again.
        if stamp.startsAnew { body(UnsafeRawBufferPointer(start: nil, count: 0), stamp) }
        current = next
        nextPlace += 1
        return true
    }

    /// The next record in order, damaged ones passed over.
    private mutating func nextRecord(after record: IndexRecord) throws(SystemError) -> IndexRecord? {
        while nextPlace < segment?.recordCount ?? 0 {
            if let next = try segment?.record(nextPlace), next.offset >= record.offset { return next }
            nextPlace += 1
        }
        return nil
    }
}
