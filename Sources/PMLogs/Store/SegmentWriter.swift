import Glibc
import PMModel
import PMSystem

/// Appends to one segment: one system call for the bytes, one for the index unless its record may wait.
///
/// Bytes of a service are moved from its pipe and not read: a daemon that is killed between reading and writing would
/// take them along.
///
/// A record is written before its bytes, so after a crash the index may end with a record that has no bytes, which
/// says nothing wrong. Only records that repeat the stream of the one before wait, for at most `indexDelay` or
/// `pendingLimit` records; bytes whose record was lost with the daemon read as part of the chunk before them.
final class SegmentWriter {
    static let indexDelay: Int64 = 100_000_000
    private static let pendingLimit = 64 * IndexRecord.size

    let sequence: UInt64
    private let path: String
    private let data: OwnedFD
    private let index: OwnedFD
    /// Bytes of output in the segment.
    private(set) var dataSize: Int
    private var indexSize: Int
    private var pending: [UInt8] = []
    private var lastStream: LogStream?
    private var lastIndexed = WallTime(nanoseconds: 0)

    /// Opens or makes a segment and repairs the end of its index.
    init(_ sequence: UInt64, in files: SegmentFiles) throws(SystemError) {
        self.sequence = sequence
        path = files.data(sequence)
        let indexPath = files.index(sequence)
        // Not for appending, because then splice(2) refuses; nobody else writes.
        data = try OwnedFD.open(path, O_RDWR | O_CREAT, mode: 0o640)
        index = try OwnedFD.open(indexPath, O_RDWR | O_CREAT | O_APPEND, mode: 0o640)
        dataSize = Int(try Files.status(of: data.raw, path).size)
        let found = Int(try Files.status(of: index.raw, indexPath).size)
        indexSize = found == 0 ? 0 : try IndexTail.soundSize(of: index, found, dataSize: dataSize)
        // Appending after half a record would make every later one unreadable.
        if indexSize != found { try FileCalls.truncate(index, to: indexSize, indexPath) }
    }

    /// Bytes that both files hold or are about to.
    var footprint: Int { dataSize + indexSize + pending.count }

    /// True when index records wait to be written.
    var hasPending: Bool { !pending.isEmpty }

    /// Appends bytes; when it throws, `dataSize` tells how many of them went out.
    func append(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp) throws(SystemError) {
        try index(stamp)
        var rest = bytes
        while !rest.isEmpty {
            let count = try FileCalls.write(rest, to: data, at: dataSize, path)
            precondition(count > 0 && count <= rest.count, "a write that succeeds writes some of its bytes")
            dataSize += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Moves up to `size` bytes, of which there is at least one, from a pipe to the end; how many it were.
    func move(from pipe: Int32, _ size: Int, _ stamp: LogStamp) throws(SystemError) -> Int {
        try index(stamp)
        do throws(SystemError) {
            let count = try Pipe.move(size, from: pipe, to: data.raw, at: dataSize)
            dataSize += count
            return count
        } catch {
            throw SystemError(error.operation, path, code: error.code)
        }
    }

    /// Reads bytes that are in the segment.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try FileCalls.read(data, at: offset, into: buffer)
    }

    private func index(_ stamp: LogStamp) throws(SystemError) {
        let isDue = mustIndexNow(stamp)
        if isDue { try followTruncation() }
        IndexRecord(offset: dataSize, stamp: stamp).append(to: &pending)
        if isDue { try flush(at: stamp.time) }
        lastStream = stamp.stream
    }

    /// Writes the index records that wait.
    func flush(at time: WallTime) throws(SystemError) {
        lastIndexed = time
        while !pending.isEmpty {
            let count = try pending.withUnsafeBufferPointer { (bytes) throws(SystemError) in
                try FileCalls.write(UnsafeRawBufferPointer(bytes), to: index, path)
            }
            indexSize += count
            if count == pending.count { pending.removeAll(keepingCapacity: true) } else { pending.removeFirst(count) }
        }
    }

    /// Somebody may have emptied the file; going on behind its end would leave a hole.
    private func followTruncation() throws(SystemError) {
        let size = Int(try Files.status(of: data.raw, path).size)
        guard size < dataSize else { return }
        dataSize = size
        pending.removeAll(keepingCapacity: true)
        indexSize = try IndexTail.soundSize(of: index, indexSize, dataSize: size)
        try FileCalls.truncate(index, to: indexSize, path)
    }

    private func mustIndexNow(_ stamp: LogStamp) -> Bool {
        if stamp.stream != lastStream || stamp.startsAnew || pending.count >= Self.pendingLimit { return true }
        let waited = stamp.time.nanoseconds &- lastIndexed.nanoseconds
        // Negative: the clock was set back.
        return waited < 0 || waited >= Self.indexDelay
    }
}

/// Finds where the sound part of an index ends.
enum IndexTail {
    private static let blockSize = 4096

    /// Size without a torn last record, and without last records that are damaged or point behind the data.
    static func soundSize(of index: borrowing OwnedFD, _ size: Int, dataSize: Int) throws(SystemError) -> Int {
        var end = size / IndexRecord.size * IndexRecord.size
        return try withTemporaryBuffer(blockSize) { (buffer) throws(SystemError) in
            while end > 0 {
                let start = max(0, end - blockSize)
                let count = try FileCalls.read(
                    index, at: start, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(end - start)]))
                var position = count / IndexRecord.size * IndexRecord.size
                while position > 0 {
                    let bytes = UnsafeRawBufferPointer(buffer)
                    if let last = IndexRecord(bytes, at: position - IndexRecord.size), last.offset <= dataSize {
                        return start + position
                    }
                    position -= IndexRecord.size
                }
                end = start
            }
            return 0
        }
    }

    private static func withTemporaryBuffer<R>(
        _ size: Int, _ body: (UnsafeMutableRawBufferPointer) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        return try body(buffer)
    }
}
