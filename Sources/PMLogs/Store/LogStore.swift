import Glibc
public import PMModel
public import PMSystem

/// Why a log cannot be written at the moment, and what that has cost.
public struct LogFailure: Equatable, Sendable {
    /// The call that failed, the file and the cause.
    public let error: SystemError
    /// Time of the first failure.
    public let since: WallTime
}

/// The log of one unit on disk: segments of raw output with an index of arrival times, rotated by size.
///
/// Nothing exists on disk and no descriptor is open before the first byte. Appending never throws and never waits:
/// while the disk refuses (ENOSPC, EDQUOT, EROFS, EIO and so on) the newest 64 KB are held in memory, older bytes are
/// counted, and `retry` writes them later with a line that says how much was lost.
/// SIGXFSZ must be ignored in the process, else a file size limit ends it.
public final class LogStore {
    /// Limits of the stored output.
    public let limits: LogLimits
    /// Why output is held instead of written; nil when all is well.
    public private(set) var failure: LogFailure?
    private let files: SegmentFiles
    private let budget: DescriptorBudget
    private let reclaimer: SpaceReclaimer
    private var writer: SegmentWriter?
    private var lastSequence: UInt64?
    private var held: HeldOutput?
    private var canMove = true
    private var lastTime = WallTime(nanoseconds: 0)

    /// Names the log of a unit; the directory is looked at when the first byte comes.
    public convenience init(_ files: SegmentFiles, limits: LogLimits = LogLimits(), budget: DescriptorBudget) {
        self.init(files, limits: limits, budget: budget, reclaimer: SpaceReclaimer())
    }

    /// The same; who gives the reclaimer lets it work.
    init(_ files: SegmentFiles, limits: LogLimits, budget: DescriptorBudget, reclaimer: SpaceReclaimer) {
        self.reclaimer = reclaimer
        self.files = files
        self.limits = limits
        self.budget = budget
    }

    deinit {
        close()
    }

    /// The directory of the segments.
    public var directory: String { files.directory }

    /// Bytes lost since this object was made because the disk refused them.
    public var droppedBytes: Int { held?.droppedEver ?? 0 }

    /// End of the log; nil while it cannot be written, and before its first byte.
    public var end: LogPosition? {
        failure == nil ? writer.map { LogPosition(sequence: $0.sequence, offset: $0.dataSize) } : nil
    }

    /// True when descriptors are open.
    public var isOpen: Bool { writer != nil }

    /// True when index records wait for `flush`.
    public var hasPending: Bool { writer?.hasPending ?? false }

    /// Appends bytes that were read at once; while the log cannot be written they are held.
    public func append(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp) {
        lastTime = stamp.time
        var (rest, stamp) = (bytes, stamp)
        if failure == nil {
            do {
                return try write(&rest, &stamp)
            } catch {
                fail(error, at: stamp.time)
            }
        }
        hold(rest, stamp)
    }

    /// Moves bytes that wait in a pipe to the end of the log; nil when they cannot be moved now, and have to be read and
    /// appended.
    func move(from pipe: Int32, _ size: Int, _ stamp: LogStamp) -> MovedBytes? {
        guard failure == nil, canMove else { return nil }
        lastTime = stamp.time
        do {
            let writer = try writerWithRoom(for: size)
            let room = limits.segmentBytes - writer.footprint - IndexRecord.size
            let offset = writer.dataSize
            let count = try writer.move(from: pipe, min(size, max(1, room)), stamp)
            return MovedBytes(writer: writer, offset: offset, count: count)
        } catch {
            // The bytes are still in the pipe. A filesystem that cannot (splice(2), EINVAL) is written as any other.
            if error.code == EINVAL { canMove = false } else if error.code != EAGAIN { fail(error, at: stamp.time) }
            return nil
        }
    }

    /// The writer of a segment that takes so many bytes whole, or of an empty one.
    private func writerWithRoom(for size: Int) throws(SystemError) -> SegmentWriter {
        let writer = try openWriter()
        if size <= limits.segmentBytes - writer.footprint - IndexRecord.size || writer.dataSize == 0 { return writer }
        try rotate(from: writer)
        return try openWriter()
    }

    /// Tries to write what is held, after a notice of what was lost; true when nothing is held any more.
    @discardableResult
    public func retry(at time: WallTime) -> Bool {
        guard let begun = failure else { return true }
        failure = nil
        do {
            try writeHeld(begun, at: time)
            return true
        } catch {
            fail(error, at: begun.since)
            return false
        }
    }

    /// Writes the index records that wait, so that a reader sees all arrival times.
    public func flush() {
        do {
            try writer?.flush(at: lastTime)
        } catch {
            fail(error, at: lastTime)
        }
    }

    /// Closes the descriptors; the next byte opens them again.
    public func close() {
        guard writer != nil else { return }
        flush()
        writer = nil
        budget.release(self)
    }

    // MARK: writing

    private func write(_ rest: inout UnsafeRawBufferPointer, _ stamp: inout LogStamp) throws(SystemError) {
        while !rest.isEmpty {
            let writer = try openWriter()
            let room = limits.segmentBytes - writer.footprint - IndexRecord.size
            let count = Self.cut(rest, room: room, isEmpty: writer.dataSize == 0)
            if count == 0 {
                try rotate(from: writer)
                continue
            }
            let before = writer.dataSize
            defer {
                let written = writer.dataSize - before
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                if written > 0 { stamp.startsAnew = false }
            }
            try writer.append(UnsafeRawBufferPointer(rebasing: rest[..<count]), stamp)
        }
    }

    /// The number of bytes for this segment: all, or none if they begin the next one. Only a chunk longer than a whole
    /// segment is cut, after a line if there is one. (A chunk that stays whole also keeps a flood of full reads aligned
    /// with the pages of the file, which makes each write a fifth cheaper.)
    private static func cut(_ bytes: UnsafeRawBufferPointer, room: Int, isEmpty: Bool) -> Int {
        if bytes.count <= room { return bytes.count }
        guard isEmpty else { return 0 }
        return bytes[..<room].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? room
    }

    private func openWriter() throws(SystemError) -> SegmentWriter {
        budget.use(self)
        if let writer { return writer }
        do throws(SystemError) {
            let opened = try makeWriter(try newestSequence())
            writer = opened
            return opened
        } catch {
            budget.release(self)
            throw error
        }
    }

    private func newestSequence() throws(SystemError) -> UInt64 {
        if let lastSequence { return lastSequence }
        return try files.sequences().last ?? 1
    }

    private func makeWriter(_ sequence: UInt64) throws(SystemError) -> SegmentWriter {
        lastSequence = sequence
        do {
            return try SegmentWriter(sequence, in: files)
        } catch  where error.code == ENOENT {
            try files.makeDirectory()
            return try SegmentWriter(sequence, in: files)
        }
    }

    private func rotate(from full: SegmentWriter) throws(SystemError) {
        try full.flush(at: lastTime)
        writer = nil
        // Room first: the files never hold more than the limits say, not even for a moment.
        try files.makeRoom(for: limits, by: reclaimer)
        writer = try makeWriter(full.sequence + 1)
    }

    // MARK: when the disk refuses

    private func fail(_ error: SystemError, at time: WallTime) {
        failure = LogFailure(error: error, since: time)
        writer = nil
        // Half a record may have been written; opening again repairs the index.
        budget.release(self)
    }

    private func hold(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp) {
        if bytes.isEmpty { return }
        var output = held ?? HeldOutput()
        held = nil  // so that it is changed in place and not copied
        output.append(Array(bytes), stamp)
        held = output
    }

    private func writeHeld(_ begun: LogFailure, at time: WallTime) throws(SystemError) {
        guard var output = held else { return }
        held = nil
        defer { held = output }
        try writeNotice(of: &output, begun, at: time)
        while let (stamp, bytes, _) = output.popFirst() {
            try bytes.withUnsafeBufferPointer { (all) throws(SystemError) in
                var (rest, stamp) = (UnsafeRawBufferPointer(all), stamp)
                do throws(SystemError) {
                    try write(&rest, &stamp)
                } catch {
                    output.putBack(Array(rest), stamp)
                    throw error
                }
            }
        }
    }

    private func writeNotice(of output: inout HeldOutput, _ begun: LogFailure, at time: WallTime) throws(SystemError) {
        let lost = output.takeDropped()
        guard lost > 0 else { return }
        let text = "pm: \(lost) bytes of output were lost here: \(begun.error)\n"
        do throws(SystemError) {
            try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(SystemError) in
                var (rest, stamp) = (UnsafeRawBufferPointer(bytes), LogStamp(.notice, at: time, startsAnew: true))
                try write(&rest, &stamp)
            }
        } catch {
            output.restoreDropped(lost)
            throw error
        }
    }
}
