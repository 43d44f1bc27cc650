internal import Glibc

/// A peer sent a line longer than the limit.
public struct LineTooLong: Error, Equatable, CustomStringConvertible {
    /// The limit in bytes.
    public let limit: Int
    /// The call of the line, if its first bytes have it.
    public var subject: LineSubject?

    /// The error in words, for people.
    public var description: String { "a line is longer than \(limit) bytes" }
}

/// Cuts a byte stream into lines. It owns the buffer: a session reads straight into its free space, then takes the lines
/// where they lie. Nothing is copied but the torn end of a read when room runs out, and an idle framer holds no memory.
public struct LineFramer: ~Copyable {
    /// The longest line accepted unless told otherwise: 64 MiB.
    public static let defaultLimit = 64 << 20

    /// The longest line accepted, in bytes without its end.
    public let limit: Int

    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The bytes from `head` to `tail` are not yet handed out; those before `searched` hold no line end.
    private var head = 0
    private var searched = 0
    private var tail = 0
    /// True while the rest of a line that was too long is being skipped.
    public private(set) var isDiscarding: Bool

    /// A framer that accepts lines of up to `limit` bytes. A framer that continues another one may begin in the middle
    /// of a line that is being skipped.
    public init(limit: Int = LineFramer.defaultLimit, isDiscarding: Bool = false) {
        self.limit = limit
        self.isDiscarding = isDiscarding
    }

    deinit { buffer.deallocate() }

    /// The number of buffered bytes: those of an unfinished line, or of lines that were not read yet.
    public var unread: Int { tail - head }

    /// Memory of the buffer in bytes.
    public var capacity: Int { buffer.count }

    /// Lets `read` fill free space of at least `minimum` bytes and return how many bytes it wrote, which is returned too.
    /// Ends the life of every line taken before.
    @discardableResult
    public mutating func withFreeSpace<Failure: Error>(
        minimum: Int = 1 << 16, _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        makeRoom(minimum)
        defer { releaseIfEmpty() }
        let free = UnsafeMutableRawBufferPointer(rebasing: buffer[tail...])
        let count = try read(free)
        precondition(count <= free.count, "more bytes were read than there was room for")
        tail += max(0, count)
        return count
    }

    /// The next whole line without its `\n` or `\r\n`, or nil until more is read. An empty line is a line. The bytes are
    /// good until the framer is used again. Throws once for a line that is too long; the line is dropped, what follows it
    /// is not.
    public mutating func nextLine() throws(LineTooLong) -> UnsafeRawBufferPointer? {
        while let end = lineEnd() {
            let line = UnsafeRawBufferPointer(rebasing: buffer[head..<end])
            head = end + 1
            searched = head
            if isDiscarding {
                isDiscarding = false
            } else if line.count > limit + 1 || withoutReturn(line).count > limit {
                throw LineTooLong(limit: limit, subject: LineSubject(line))
            } else {
                return withoutReturn(line)
            }
        }
        return try keepTornLine()
    }

    /// At the end of the stream: the bytes of a last line that has no end, or nil. Forgets them; they are good until the
    /// framer is used again.
    public mutating func takeRemainder() -> UnsafeRawBufferPointer? {
        guard unread > 0, !isDiscarding else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: buffer[head..<tail])
        head = tail
        searched = tail
        return rest
    }

    /// Takes every byte out that was not handed out, for another framer to go on with.
    public mutating func takeUnread() -> [UInt8] {
        let bytes = isDiscarding ? [] : [UInt8](buffer[head..<tail])
        head = tail
        releaseIfEmpty()
        return bytes
    }

    private func withoutReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        line.last == UInt8(ascii: "\r") ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
    }

    /// Index of the next `\n`; looks at each byte once, however the line arrives in pieces.
    private mutating func lineEnd() -> Int? {
        guard searched < tail, let base = buffer.baseAddress else { return nil }
        guard let found = memchr(base + searched, Int32(UInt8(ascii: "\n")), tail - searched) else {
            searched = tail
            return nil
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private mutating func keepTornLine() throws(LineTooLong) -> UnsafeRawBufferPointer? {
        // One more may be the \r of a line end.
        let isTooLong = unread > limit + 1
        let subject = isTooLong ? LineSubject(UnsafeRawBufferPointer(rebasing: buffer[head..<tail])) : nil
        if isTooLong || isDiscarding { head = tail }
        releaseIfEmpty()
        guard isTooLong, !isDiscarding else { return nil }
        isDiscarding = true
        throw LineTooLong(limit: limit, subject: subject)
    }
}

extension LineFramer {
    /// Gives the memory back if every byte was handed out, and ends the life of every line taken before: with a thousand
    /// idle peers, a buffer for each would be most of what a daemon holds.
    public mutating func releaseIfEmpty() {
        guard head == tail else { return }
        buffer.deallocate()
        buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        head = 0
        searched = 0
        tail = 0
    }

    private mutating func makeRoom(_ minimum: Int) {
        let wanted = capacity(for: unread + minimum)
        if buffer.count - tail >= minimum, buffer.count <= 4 * wanted { return }
        if buffer.count >= unread + minimum, buffer.count <= 4 * wanted {
            moveUnread(to: buffer)
        } else {
            // Too small; or a giant line has gone and what is left fits a quarter.
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: wanted, alignment: 16)
            let old = buffer
            moveUnread(to: larger)
            old.deallocate()
        }
    }

    /// Powers of two, so that a long line is copied a bounded number of times, but no more than the limit can fill.
    private func capacity(for needed: Int) -> Int {
        var size = 1 << 12
        while size < needed { size *= 2 }
        return max(needed, min(size, limit + needed - unread + 2))
    }

    private mutating func moveUnread(to target: UnsafeMutableRawBufferPointer) {
        if let from = buffer.baseAddress, let destination = target.baseAddress {
            memmove(destination, from + head, unread)
        }
        buffer = target
        searched -= head
        tail -= head
        head = 0
    }
}
