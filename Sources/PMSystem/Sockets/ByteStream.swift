import CPMLinux
import Glibc

/// A connected stream socket, or two pipes, on the loop: buffered writing that never blocks, reading into the caller's memory.
///
/// What is written during a turn goes out with one system call at its end.
@PMActor
public final class ByteStream {
    /// The result of a read.
    public enum Chunk: Equatable, Sendable {
        /// This number of bytes was read.
        case bytes(Int)
        /// No bytes for now.
        case nothing
        /// The peer writes no more, or the connection broke.
        case end
    }

    /// Progress of the connection's end.
    private enum Phase {
        case open
        /// Buffered bytes are sent, then the connection is closed.
        case draining
        case closed
    }

    /// The socket; closed with the stream, even if other objects still refer to the stream.
    private var descriptors: StreamDescriptors?
    /// The descriptors that are read and written: those of two pipes, or the socket's twice.
    private let raw: Int32, output: Int32
    private let isSocket: Bool
    private let reactor: Reactor
    private var phase = Phase.open
    private var isFlushPlanned = false
    private var isReadingPaused = false
    private var isReadingOver = false
    /// A peer that is gone is reported in every turn, whatever is asked for: while nothing is read, it is not watched.
    private var isWatched = false
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var interest = Events.readable
    /// True when a pipe that takes no more is watched.
    private var isOutputWatched = false
    private var onReadable: (@PMActor () -> Void)?
    private var onClosed: (@PMActor () -> Void)?
    private var onDrained: [@PMActor () -> Void] = []

    /// Takes over the descriptors of a connection and makes them non-blocking.
    ///
    /// - Throws: `SystemError` when that fails.
    public init(_ descriptors: StreamDescriptors, reactor: Reactor) throws(SystemError) {
        self.descriptors = descriptors
        isSocket = descriptors.pipes == nil
        raw = (descriptors.pipes?.reading ?? descriptors.socket).raw
        output = (descriptors.pipes?.writing ?? descriptors.socket).raw
        self.reactor = reactor
        try setNonBlocking(raw)
        if !isSocket { try setNonBlocking(output) }
    }

    /// Calls `onReadable` whenever there is something to read, the end included, until `close`; `onClosed` once when the
    /// stream closes, for whatever reason, but not when it is detached.
    ///
    /// - Throws: `SystemError` when the socket cannot be watched.
    public func start(
        onReadable: @escaping @PMActor () -> Void, onClosed: @escaping @PMActor () -> Void = {}
    ) throws(SystemError) {
        precondition(self.onReadable == nil, "a stream is started twice")
        self.onReadable = onReadable
        self.onClosed = onClosed
        try watch()
    }

    private func watch() throws(SystemError) {
        try reactor.watch(raw, interest) { [self] events in ready(events) }
        isWatched = true
    }

    private func unwatch() {
        watchOutput(false)
        guard isWatched else { return }
        isWatched = false
        reactor.unwatch(raw)
    }

    /// Bytes that wait for the peer.
    ///
    /// Looked at several times for each message that is passed on. A number is read at once, nothing can change it meanwhile,
    /// so there is no exclusive access to check at run time.
    @exclusivity(unchecked) public private(set) var backlog = 0

    /// True when the stream can no longer be used.
    public var isClosed: Bool { phase == .closed }

    /// Reads once into free memory.
    public func read(into space: UnsafeMutableRawBufferPointer) -> Chunk {
        guard phase != .closed, let base = space.baseAddress else { return .end }
        let count = isSocket ? pm_socket_read(raw, base, space.count) : pm_fd_read(raw, base, space.count)
        if count > 0 { return .bytes(Int(count)) }
        if count == -Int64(EAGAIN) { return .nothing }
        return .end
    }

    /// Appends to what goes out at the end of this turn; nothing happens once the stream is closing.
    public func write(_ fill: (inout [UInt8]) -> Void) {
        guard phase == .open else { return }
        fill(&outgoing)
        backlog = outgoing.count - sent
        planFlush()
    }

    /// Calls `body` once when nothing waits to be written any more; at once if nothing does.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        if backlog == 0 || phase == .closed { body() } else { onDrained.append(body) }
    }

    /// Stops or resumes reading; what the peer sends meanwhile waits in the kernel and then slows the peer down.
    public func setReading(paused: Bool) {
        isReadingPaused = paused
        updateInterest()
    }

    /// The peer has said all that it will; it may still read, and when it does not either, this is closed.
    public func endReading() {
        isReadingOver = true
        setReading(paused: true)
    }

    /// Sends what is buffered and closes then; reads no more.
    public func closeAfterFlush() {
        guard phase == .open else { return }
        phase = .draining
        if backlog == 0 { close() } else { updateInterest() }
    }

    /// Closes at once; what is buffered is lost.
    public func close() {
        guard phase != .closed else { return }
        phase = .closed
        unwatch()
        // The descriptor may have other holders (pm-init); the peer must learn of the end all the same.
        if let descriptors { UnixSocket.end(descriptors.socket.raw) }
        let closed = onClosed
        forget()
        closed?()
    }

    /// Bytes that the peer has not taken yet.
    public var unsent: [UInt8] { Array(outgoing[sent...]) }

    /// Leaves the socket to its other owners: the stream does not watch it any more, and it stays connected.
    ///
    /// - Returns: the socket; nil when the stream is closed.
    @discardableResult
    public func detach() -> SharedFD? {
        guard phase != .closed else { return nil }
        phase = .closed
        unwatch()
        let left = descriptors?.socket
        forget()
        return left
    }

    private func forget() {
        descriptors = nil
        onReadable = nil
        onClosed = nil
        outgoing = []
        sent = 0
        backlog = 0
        tellDrained()
    }

    private func ready(_ events: Events) {
        if events.contains(.writable) { flush() }
        let isOver = !events.isDisjoint(with: [.hungUp, .failed])
        if phase == .draining && isOver { return close() }
        if isReadingOver && isOver { return close() }
        if isReadingPaused { return stopWatching(isOver: isOver) }
        if events.contains(.readable) || isOver { onReadable?() }
    }

    /// Something came during a pause: it is not to be reported again before reading goes on.
    private func stopWatching(isOver: Bool) {
        interest.remove(.readable)
        // What the peer sent before it went is read when reading goes on; what is written to it fails at once.
        if isOver { unwatch() } else if isWatched { reactor.change(raw, interest) }
    }

    private func planFlush() {
        guard !isFlushPlanned, !interest.contains(.writable), !isOutputWatched else { return }
        isFlushPlanned = true
        reactor.atEndOfTurn { [self] in
            isFlushPlanned = false
            flush()
        }
    }

    private func flush() {
        while backlog > 0 {
            let count = outgoing.withUnsafeBytes { bytes -> Int64 in
                guard let base = bytes.baseAddress else { return 0 }
                guard isSocket else { return Int64(Glibc.write(output, base + sent, bytes.count - sent)) }
                return Int64(send(raw, base + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { break }
                return close()
            }
            sent += Int(count)
            backlog -= Int(count)
            precondition(backlog >= 0, "more bytes were sent than waited")
        }
        compact()
        if backlog == 0 { drained() }
        updateInterest()
    }

    private func drained() {
        if phase == .draining { return close() }
        tellDrained()
    }

    private func tellDrained() {
        var bodies: [@PMActor () -> Void] = []
        swap(&bodies, &onDrained)
        for body in bodies { body() }
    }

    /// Gives back memory after a burst, and moves what is left to the front when most of the buffer is sent.
    private func compact() {
        if sent == outgoing.count {
            let isLarge = outgoing.capacity > 256 << 10
            outgoing.removeAll(keepingCapacity: !isLarge)
            sent = 0
        } else if sent > 64 << 10 && sent > outgoing.count / 2 {
            outgoing.removeSubrange(..<sent)
            sent = 0
        }
    }

    /// Waits for room in the pipe to the peer.
    private func watchOutput(_ isWanted: Bool) {
        guard !isSocket, isWanted != isOutputWatched, phase != .closed || !isWanted else { return }
        isOutputWatched = isWanted
        guard isWanted else { return reactor.unwatch(output) }
        do throws(SystemError) {
            try reactor.watch(output, .writable) { [self] _ in flush() }
        } catch {
            // Without a place in the loop the rest would never be written: the stream is closed.
            isOutputWatched = false
            close()
        }
    }

    private func updateInterest() {
        guard phase != .closed, onReadable != nil else { return }
        var wanted: Events = []
        // A pause in which nothing comes costs no system call.
        if phase == .open, !isReadingPaused || interest.contains(.readable) { wanted.insert(.readable) }
        if isSocket { if backlog > 0 { wanted.insert(.writable) } } else { watchOutput(backlog > 0) }
        guard wanted != interest else { return }
        interest = wanted
        if isWatched { return reactor.change(raw, wanted) }
        do throws(SystemError) {
            if wanted.contains(.readable) { try watch() }
        } catch {
            // Without a place in the loop nothing would ever be read: waiting functions learn that the stream is
            // closed.
            close()
        }
    }
}

/// Single reads and writes on non-blocking descriptors, for readers that need no stream.
public enum Descriptors {
    /// The result of a read.
    public enum Bytes: Equatable, Sendable {
        /// The bytes that were read.
        case bytes([UInt8])
        /// No bytes for now.
        case nothing
        /// The end, or a broken connection.
        case end
    }

    /// Reads once, at most `limit` bytes.
    public static func read(_ descriptor: Int32, limit: Int) -> Bytes {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pm_socket_read(descriptor, &buffer, limit)
        if count == -Int64(EAGAIN) { return .nothing }
        guard count > 0 else { return .end }
        return .bytes(Array(buffer[..<Int(count)]))
    }

    /// Writes once; the bytes that were taken, 0 when the descriptor is full or broken.
    public static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        max(0, Int(pm_fd_write(descriptor, bytes, bytes.count)))
    }
}
