public import PMModel
public import PMSystem

/// Learns that both pipes of a capture have ended or been closed.
@PMActor
public protocol LogCaptureObserver: AnyObject {
    /// Both pipes have ended or been closed.
    func captureEnded()
}

/// Reads the outputs of one incarnation of an instance into the log of its unit.
///
/// It lives until its pipes end or `close` is called; the log keeps it meanwhile.
@PMActor
public final class LogCapture {
    /// Origin of this capture's pipes.
    public enum Origin: Equatable, Sendable {
        /// The instance is starting: what it writes does not go on in a line of its predecessor.
        case started
        /// A former daemon read the pipes before: their streams go on.
        case adopted
    }

    /// Sees each line, and with each output also the line that has not ended yet; returns whether it wants more.
    public typealias LineObserver = @PMActor (LogLine) -> Bool

    /// Purpose of an observer; there is one observer of each.
    public enum Purpose: Sendable, CaseIterable {
        /// A readiness check.
        case readiness
        /// The URL of an inspector.
        case inspector
    }

    /// Takes each line, for another place where it is wanted too.
    public typealias LineCopy = @PMActor (LogLine) -> Void

    /// The log that it reads into.
    public let log: UnitLog
    /// When output was read last; nil: never.
    public private(set) var lastOutput: MonotonicTime?
    /// Learns of the end.
    public weak var observer: (any LogCaptureObserver)?
    private var pipes: [CapturedPipe] = []
    /// Streams that have written nothing yet.
    private var fresh: [LogStream]
    private var last: LastLines?
    private var observers: [Purpose: (body: LineObserver, assembler: LineAssembler)] = [:]
    private var copied: (body: LineCopy, assembler: LineAssembler)?
    /// Lines that wait until `releaseCopies`; nil: none has to.
    private var heldCopies: [LogLine]?
    private static let both: [LogStream] = [.out, .err]
    /// Longest line an observer sees in one piece, bytes.
    private static let observedLine = 65536

    /// Makes a capture without pipes.
    public init(_ log: UnitLog, origin: Origin) {
        self.log = log
        fresh = origin == .started ? Self.both : []
        log.add(self)
    }

    /// Starts reading a pipe.
    ///
    /// - Throws: `SystemError` when it cannot be watched; it is then let go.
    public func attach(_ descriptor: SharedFD, as stream: LogStream) throws(SystemError) {
        pipes.append(try CapturedPipe(descriptor, stream, self))
    }

    /// Shows each line from now on to an observer until it returns false.
    public func observeLines(for purpose: Purpose = .readiness, _ body: @escaping LineObserver) {
        observers[purpose] = (body, LineAssembler(limit: Self.observedLine))
    }

    /// Hands out each line from now on, and at the end an unfinished one. A capture that is `started` holds them back
    /// until `releaseCopies`: a quick program writes before it is known which process it is.
    public func copyLines(to body: @escaping LineCopy) {
        copied = (body, LineAssembler(limit: Self.observedLine))
        heldCopies = fresh.isEmpty ? nil : []
    }

    /// Hands out no more lines; what was held back is handed out first.
    public func endCopies() {
        releaseCopies()
        copied = nil
    }

    /// Hands out what was held back, and from now on each line at once.
    public func releaseCopies() {
        let held = heldCopies ?? []
        heldCopies = nil
        for line in held { copied?.body(line) }
    }

    private func copy(_ line: LogLine, _ body: LineCopy) {
        if heldCopies == nil { body(line) } else { heldCopies?.append(line) }
    }

    /// Ends the observing of a readiness check.
    public func endObserving() {
        observers[.readiness] = nil
    }

    /// The last lines of this incarnation, both outputs together, oldest first; at most 8 KB of them.
    public func lastLines(_ count: Int = 20) -> [LogLine] {
        last?.lines(count) ?? []
    }

    /// The first and last lines of this incarnation, both outputs together, oldest first; at most 10 KB of them.
    public func output() -> [String] {
        last?.output ?? []
    }

    /// Reads what is in the pipes now, for the death of the instance: its descendants may hold them open for ever.
    public func drain() {
        for pipe in pipes { pipe.drain() }
    }

    /// Reads what is in the pipes now and closes them.
    public func close() {
        for pipe in pipes {
            pipe.drain()
            pipe.close()
        }
        if pipes.isEmpty { finish() }
    }

    // MARK: from the pipes

    /// The stamp of bytes that come from a stream now.
    func stamp(_ stream: LogStream) -> LogStamp {
        lastOutput = log.book.reactor.clock.monotonic()
        let isFirst = fresh.contains(stream)
        if isFirst { fresh.removeAll { $0 == stream } }
        return LogStamp(stream, at: log.book.reactor.clock.wall(), startsAnew: isFirst)
    }

    /// Moves bytes from a pipe into the log; nil when they have to be read.
    func move(from pipe: Int32, _ size: Int, _ stamp: LogStamp) -> Int? {
        guard let moved = log.move(from: pipe, size, stamp) else { return nil }
        // The first bytes are kept too, and come in the first chunks.
        let isTail = observers.isEmpty && copied == nil && last?.hasHead ?? false
        let limit = isTail ? LastLines.limit : .max
        see(moved.bytes(into: log.book.buffer, last: limit), of: moved.count, stamp)
        return moved.count
    }

    /// Takes bytes that were read.
    func received(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp) {
        log.append(bytes, stamp)
        see(bytes, of: bytes.count, stamp)
    }

    /// Sees the last of so many bytes.
    private func see(_ bytes: UnsafeRawBufferPointer, of count: Int, _ stamp: LogStamp) {
        var lines = last ?? LastLines()
        last = nil  // so that it is changed in place and not copied
        lines.append(bytes, of: count, stamp)
        last = lines
        for purpose in Purpose.allCases where observers[purpose] != nil { observe(purpose, bytes, stamp) }
        guard let body = copied?.body, var assembler = copied?.assembler else { return }
        copied = nil  // so that it is changed in place and not copied
        assembler.feed(bytes, stamp) { copy($0, body) }
        copied = (body, assembler)
    }

    /// True when an output waits to be read on.
    var hasPostponed: Bool { pipes.contains(where: \.isPostponed) }

    func ended(_ pipe: CapturedPipe) {
        pipes.removeAll { $0 === pipe }
        if pipes.isEmpty { finish() }
    }

    func settle() {
        for pipe in pipes { pipe.settle() }
    }

    private func finish() {
        log.remove(self)
        observers = [:]
        releaseCopies()
        if let body = copied?.body { copied?.assembler.finish { body($0) } }
        copied = nil
        observer?.captureEnded()
    }

    private func observe(_ purpose: Purpose, _ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp) {
        guard let observer = observers[purpose] else { return }
        let body = observer.body
        var assembler = observer.assembler
        var wantsMore = true
        assembler.feed(bytes, stamp) { line in
            if wantsMore && line.stream != .notice { wantsMore = body(line) }
        }
        // A prompt has no newline.
        if wantsMore, stamp.stream != .notice, let begun = assembler.unfinished(stamp.stream) {
            wantsMore = body(begun)
        }
        // The observer may have ended or replaced itself.
        guard observers[purpose] != nil else { return }
        observers[purpose] = wantsMore ? (body, assembler) : nil
    }
}
