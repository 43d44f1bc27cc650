import CPMLinux
import Glibc

/// A connected stream socket on the loop: buffered writing that never blocks, reading into the caller's memory.
///
/// What is written during a turn goes out with one system call at its end.
@PMActor
public final class ByteStream {
    /// What a read brought.
    public enum Chunk: Equatable, Sendable {
        /// So many bytes.
        case bytes(Int)
        /// Nothing for now.
        case nothing
        /// The peer writes no more, or the connection broke.
        case end
    }

    /// How far the connection is on its way out.
    private enum Phase {
        case open
        /// What is buffered goes out, then it is closed.
        case draining
        case closed
    }

    /// The socket.
    public let descriptor: SharedFD
    private let reactor: Reactor
    private var phase = Phase.open
    private var isFlushPlanned = false
    /// What is done with what the peer sends.
    private enum Reading {
        case on
        case paused
        /// It sends no more.
        case over
    }

    private var reading = Reading.on
    /// Whether it is not watched because its peer hung up while nothing is read from it.
    private var isParked = false
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var interest = Events.readable
    private var onReadable: (@PMActor () -> Void)?
    /// Called once when the stream is closed, by whomever: a peer that is gone is often noticed in writing.
    public var onClose: (@PMActor () -> Void)?
    private var onDrained: [@PMActor () -> Void] = []

    /// Takes over a connected socket and makes it non-blocking.
    ///
    /// - Throws: `SystemError` when that fails.
    public init(_ descriptor: SharedFD, reactor: Reactor) throws(SystemError) {
        self.descriptor = descriptor
        self.reactor = reactor
        try setNonBlocking(descriptor.raw)
    }

    /// Calls `onReadable` whenever there is something to read, the end included, until `close`.
    ///
    /// - Throws: `SystemError` when the socket cannot be watched.
    public func start(onReadable: @escaping @PMActor () -> Void) throws(SystemError) {
        self.onReadable = onReadable
        try reactor.watch(descriptor.raw, interest) { [weak self] events in self?.ready(events) }
    }

    /// Bytes that wait for the peer.
    public var backlog: Int { outgoing.count - sent }

    /// Whether the stream can no longer be used.
    public var isClosed: Bool { phase == .closed }

    /// Reads once into free memory.
    public func read(into space: UnsafeMutableRawBufferPointer) -> Chunk {
        guard phase != .closed, let base = space.baseAddress else { return .end }
        let count = pm_fd_read(descriptor.raw, base, space.count)
        if count > 0 { return .bytes(Int(count)) }
        if count == -Int64(EAGAIN) { return .nothing }
        return .end
    }

    /// Appends to what goes out at the end of this turn; nothing happens once the stream is closing.
    public func write(_ fill: (inout [UInt8]) -> Void) {
        guard phase == .open else { return }
        fill(&outgoing)
        planFlush()
    }

    /// Calls `body` once when nothing waits to be written any more; at once if nothing does.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        if backlog == 0 || phase == .closed { body() } else { onDrained.append(body) }
    }

    /// Stops or resumes reading; what the peer sends meanwhile waits in the kernel and then slows the peer down.
    public func setReading(paused: Bool) {
        guard reading != .over else { return }
        reading = paused ? .paused : .on
        if !paused { unpark() }
        updateInterest()
    }

    /// The peer has said all that it will; it may still read, and when it does not either, this is closed.
    public func endReading() {
        reading = .over
        updateInterest()
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
        reactor.unwatch(descriptor.raw)
        // The descriptor may have other holders (pm-init); the peer must learn of the end all the same.
        shutdown(descriptor.raw, Int32(SHUT_RDWR))
        let tell = onClose
        forget()
        tell?()
    }

    /// Bytes that the peer has not taken yet.
    public var unsent: [UInt8] { Array(outgoing[sent...]) }

    /// Leaves the socket to its other holders: nothing of this process watches it any more, and it stays connected.
    public func detach() {
        guard phase != .closed else { return }
        phase = .closed
        reactor.unwatch(descriptor.raw)
        forget()
    }

    private func forget() {
        onReadable = nil
        onClose = nil
        outgoing = []
        sent = 0
        tellDrained()
    }

    private func ready(_ events: Events) {
        if events.contains(.writable) { flush() }
        let isOver = !events.isDisjoint(with: [.hungUp, .failed])
        if phase == .draining && isOver { return close() }
        switch reading {
        case .on where events.contains(.readable) || isOver: onReadable?()
        case .paused where isOver: park()
        case .over where isOver: close()
        case .on, .paused, .over: break
        }
    }

    /// A hang-up cannot be masked (epoll_ctl(2)): it would be reported anew at each turn until reading goes on.
    private func park() {
        guard phase == .open, backlog == 0 else { return close() }
        isParked = true
        reactor.unwatch(descriptor.raw)
    }

    private func unpark() {
        guard isParked, phase == .open else { return }
        isParked = false
        do throws(SystemError) {
            interest = .readable
            try reactor.watch(descriptor.raw, interest) { [weak self] events in self?.ready(events) }
        } catch {
            // Out of memory for a socket whose peer is gone.
            close()
        }
    }

    private func planFlush() {
        guard !isFlushPlanned, !interest.contains(.writable) else { return }
        isFlushPlanned = true
        reactor.atEndOfTurn { [weak self] in
            self?.isFlushPlanned = false
            self?.flush()
        }
    }

    private func flush() {
        while backlog > 0 {
            let count = outgoing.withUnsafeBytes { bytes -> Int64 in
                guard let base = bytes.baseAddress else { return 0 }
                return Int64(send(descriptor.raw, base + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { break }
                return close()
            }
            sent += Int(count)
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

    private func updateInterest() {
        guard phase != .closed, onReadable != nil, !isParked else { return }
        var wanted: Events = []
        if phase == .open && reading == .on { wanted.insert(.readable) }
        if backlog > 0 { wanted.insert(.writable) }
        guard wanted != interest else { return }
        interest = wanted
        reactor.change(descriptor.raw, wanted)
    }
}

/// Single reads and writes on non-blocking descriptors, for readers that need no stream.
public enum Descriptors {
    /// What a read brought.
    public enum Bytes: Equatable, Sendable {
        /// These bytes.
        case bytes([UInt8])
        /// Nothing for now.
        case nothing
        /// The end, or a broken connection.
        case end
    }

    /// Reads once, at most `limit` bytes.
    public static func read(_ descriptor: Int32, limit: Int) -> Bytes {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pm_fd_read(descriptor, &buffer, limit)
        if count == -Int64(EAGAIN) { return .nothing }
        guard count > 0 else { return .end }
        return .bytes(Array(buffer[..<Int(count)]))
    }

    /// Writes once; the bytes that were taken, 0 when the descriptor is full or broken.
    public static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        max(0, Int(pm_fd_write(descriptor, bytes, bytes.count)))
    }
}
