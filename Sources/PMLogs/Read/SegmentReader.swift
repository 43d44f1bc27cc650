import PMModel
import PMSystem

/// Reads one segment as it stood when it was opened, with a damaged index too.
///
/// Records that are torn, damaged or out of order are passed over: their bytes belong to the chunk before them. Bytes
/// before the first record are taken for standard output at the time of the file's last change.
struct SegmentReader {
    let sequence: UInt64
    private var data: BlockFile
    private var index: BlockFile?
    private let unknown: LogStamp

    /// Looks at a segment; nil when it has been removed.
    init?(_ sequence: UInt64, in files: SegmentFiles) throws(SystemError) {
        self.sequence = sequence
        // The index first: records of bytes that come later are harmless, bytes without their record are not.
        index = try BlockFile(files.index(sequence))
        guard let data = try BlockFile(files.data(sequence)) else { return nil }
        self.data = data
        let changed = try Files.status(files.data(sequence))?.modified ?? 0
        unknown = LogStamp(.out, at: WallTime(nanoseconds: changed))
    }

    /// Bytes of output in the segment.
    var size: Int { data.size }

    /// The number of records that fit into the index.
    var recordCount: Int { (index?.size ?? 0) / IndexRecord.size }

    /// The record at a place; nil when it is damaged or points behind the data. Place -1 is the one that covers what
    /// stands before the first record.
    mutating func record(_ place: Int) throws(SystemError) -> IndexRecord? {
        guard place >= 0 else { return IndexRecord(offset: 0, stamp: unknown) }
        let start = place.times(IndexRecord.size)
        guard let bytes = try index?.head(of: start..<start.plus(IndexRecord.size)) else { return nil }
        guard bytes.count == IndexRecord.size else { return nil }
        guard let record = bytes.withUnsafeBytes({ IndexRecord($0, at: 0) }) else { return nil }
        return record.offset <= size ? record : nil
    }

    /// The place of the last record at or before an offset, -1 when there is none.
    mutating func place(of offset: Int) throws(SystemError) -> Int {
        var place = recordCount - 1
        while place >= 0 {
            if let record = try record(place), record.offset <= offset { return place }
            place -= 1
        }
        return -1
    }

    /// Bytes from the start of a range, as many as are at hand at once.
    mutating func head(of range: Range<Int>) throws(SystemError) -> ArraySlice<UInt8> {
        try data.head(of: range)
    }

    /// Bytes up to the end of a range, as many as are at hand at once.
    mutating func tail(of range: Range<Int>) throws(SystemError) -> ArraySlice<UInt8> {
        try data.tail(of: range)
    }
}
