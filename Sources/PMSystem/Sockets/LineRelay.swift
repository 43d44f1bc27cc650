import CPMLinux
import Glibc

/// Two connected stream sockets, joined: whole lines of one go to the other, byte for byte.
///
/// Half a line is never passed on. Who does not read is not sent to and the other is not read from, so what waits here
/// is at most one read and one line in each direction. When one end is gone, the other has what came before and is
/// closed too.
@PMActor
public final class LineRelay {
    /// One of the two sockets, and what is on its way.
    public struct End: Sendable {
        /// The socket.
        public let descriptor: SharedFD
        /// Bytes that came from it and were not passed on.
        public var unread: [UInt8]
        /// Bytes that are to go out to it.
        public var unsent: [UInt8]
        /// True when the side sends no more.
        public var hasFinished: Bool

        /// An end where something may have been under way already.
        public init(_ descriptor: SharedFD, unread: [UInt8] = [], unsent: [UInt8] = [], hasFinished: Bool = false) {
            self.descriptor = descriptor
            self.unread = unread
            self.unsent = unsent
            self.hasFinished = hasFinished
        }
    }

    /// Why it is over.
    public enum Outcome: Equatable, Sendable {
        /// One end or both are gone.
        case finished
        /// A line was longer than the limit.
        case lineTooLong
        /// A socket can no longer be watched.
        case failed(SystemError)
    }

    private final class Side {
        let descriptor: SharedFD
        /// The beginning of a line whose end has not come.
        var torn: [UInt8] = []
        var outgoing: [UInt8]
        var sent = 0
        /// True when the side sends no more.
        var hasFinished: Bool
        /// True when the side can receive nothing any more.
        var isGone = false
        /// True when the side was notified that nothing more comes.
        var isTold = false
        /// The events that the side is watched for; nil while it is not.
        var watched: Events?

        init(_ end: End) {
            descriptor = end.descriptor
            torn = end.unread
            outgoing = end.unsent
            hasFinished = end.hasFinished
        }

        var backlog: Int { outgoing.count - sent }
    }

    /// The longest line that is passed on, in bytes.
    public static let longestLine = 64 << 20
    private static let readSize = 64 << 10
    /// At most so many reads a turn, so that one relay does not starve others.
    private static let readsPerTurn = 4
    private static let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 64)

    private let left: Side
    private let right: Side
    private let reactor: Reactor
    private var onEnd: (@PMActor (Outcome) -> Void)?
    private var isOver = false

    /// Takes over two sockets; nothing is passed on before `start`.
    ///
    /// - Throws: `SystemError` when they cannot be made non-blocking.
    public init(_ left: End, _ right: End, reactor: Reactor) throws(SystemError) {
        self.left = Side(left)
        self.right = Side(right)
        self.reactor = reactor
        try setNonBlocking(left.descriptor.raw)
        try setNonBlocking(right.descriptor.raw)
    }

    /// Begins to pass on; `onEnd` is called once, when both ends are closed.
    public func start(onEnd: @escaping @PMActor (Outcome) -> Void) {
        self.onEnd = onEnd
        for (side, other) in [(left, right), (right, left)] {
            let early = side.torn
            side.torn = []
            early.withUnsafeBytes { forward($0, side, other) }
        }
        settle()
    }

    /// Leaves both sockets to a successor.
    public func handOver() -> (left: End, right: End) {
        isOver = true
        for side in [left, right] where side.watched != nil { reactor.unwatch(side.descriptor.raw) }
        return (remains(left), remains(right))
    }

    private func remains(_ side: Side) -> End {
        End(
            side.descriptor, unread: side.torn, unsent: Array(side.outgoing[side.sent...]),
            hasFinished: side.hasFinished)
    }

    /// Closes both ends at once, without sending buffered bytes.
    public func close() { end(.finished) }

    private func end(_ ending: Outcome) {
        guard !isOver else { return }
        isOver = true
        for side in [left, right] {
            if side.watched != nil { reactor.unwatch(side.descriptor.raw) }
            side.watched = nil
            // The descriptor may have other holders; the peer must learn of the end all the same.
            UnixSocket.end(side.descriptor.raw)
        }
        onEnd?(ending)
        onEnd = nil
    }

    // MARK: events

    private func ready(_ side: Side, _ other: Side, _ events: Events) {
        if events.contains(.writable) { flush(side) }
        if !events.isDisjoint(with: [.hungUp, .failed]) { side.isGone = true }
        if side.isGone || events.contains(.readable) { pass(side, other) }
        settle()
    }

    private func pass(_ side: Side, _ other: Side) {
        for _ in 0..<Self.readsPerTurn {
            guard !side.hasFinished, other.backlog == 0, !isOver, let base = Self.buffer.baseAddress else { return }
            let count = Int(pm_socket_read(side.descriptor.raw, base, Self.readSize))
            if count == -Int(EAGAIN) { return }
            guard count > 0 else {
                side.hasFinished = true
                return
            }
            forward(UnsafeRawBufferPointer(start: base, count: count), side, other)
            if count < Self.readSize { return }
        }
    }

    /// Passes on the whole lines that end in what came, and keeps the rest.
    private func forward(_ bytes: UnsafeRawBufferPointer, _ side: Side, _ other: Side) {
        guard !bytes.isEmpty else { return }
        guard let last = Self.lastLineEnd(bytes) else {
            side.torn += bytes
            if side.torn.count > Self.longestLine { end(.lineTooLong) }
            return
        }
        let whole = last + 1
        if !side.torn.isEmpty {
            side.torn.withUnsafeBytes { send($0, to: other) }
            side.torn = []
        }
        send(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), to: other)
        if whole < bytes.count { side.torn = Array(UnsafeRawBufferPointer(rebasing: bytes[whole...])) }
    }

    /// Most reads end with a line; of a long line most pieces hold no end, which memchr sees fastest.
    private static func lastLineEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let newline = UInt8(ascii: "\n")
        if bytes.last == newline { return bytes.count - 1 }
        guard let base = bytes.baseAddress, memchr(base, Int32(newline), bytes.count) != nil else { return nil }
        return bytes.lastIndex(of: newline)
    }

    /// Writes at once what the socket takes; the rest waits.
    private func send(_ bytes: UnsafeRawBufferPointer, to side: Side) {
        if side.isGone { return }
        var done = 0
        if side.backlog == 0 {
            done = write(bytes, to: side)
            if side.isGone { return }
        }
        if done < bytes.count { side.outgoing += UnsafeRawBufferPointer(rebasing: bytes[done...]) }
    }

    private func flush(_ side: Side) {
        guard side.backlog > 0 else { return }
        let sent = side.sent
        let rest = side.outgoing
        side.sent += rest.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[sent...]), to: side) }
        if side.backlog == 0 {
            side.outgoing = []
            side.sent = 0
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to side: Side) -> Int {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = Glibc.send(
                side.descriptor.raw, base + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno != EAGAIN { side.isGone = true }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    // MARK: what follows

    private func settle() {
        guard !isOver else { return }
        if (left.isGone && right.isGone) || isDone(left, right) || isDone(right, left) { return end(.finished) }
        if left.hasFinished && right.hasFinished && left.backlog == 0 && right.backlog == 0 { return end(.finished) }
        do throws(SystemError) {
            try settle(left, right)
            try settle(right, left)
        } catch {
            end(.failed(error))
        }
    }

    /// True when one end is gone and the other has everything that came from it.
    private func isDone(_ side: Side, _ other: Side) -> Bool {
        if side.isGone {
            side.outgoing = []
            side.sent = 0
        }
        return side.isGone && side.hasFinished && other.backlog == 0
    }

    private func settle(_ side: Side, _ other: Side) throws(SystemError) {
        if side.hasFinished && other.backlog == 0 && !other.isTold {
            other.isTold = true
            shutdown(other.descriptor.raw, Int32(SHUT_WR))
        }
        var wanted: Events? = []
        if !side.hasFinished && other.backlog == 0 && !other.isGone { wanted?.insert(.readable) }
        if side.backlog > 0 { wanted?.insert(.writable) }
        // A hang-up cannot be masked: who is gone is looked at again when the other can take something.
        if side.isGone && wanted == [] { wanted = nil }
        guard wanted != side.watched else { return }
        try watch(side, other, wanted)
    }

    private func watch(_ side: Side, _ other: Side, _ wanted: Events?) throws(SystemError) {
        let descriptor = side.descriptor.raw
        switch (side.watched, wanted) {
        case (nil, nil): break
        case (nil, let wanted?):
            try reactor.watch(descriptor, wanted) { [weak self, unowned side, unowned other] events in
                self?.ready(side, other, events)
            }
        case (.some, let wanted?): reactor.change(descriptor, wanted)
        case (.some, nil): reactor.unwatch(descriptor)
        }
        side.watched = wanted
    }
}
