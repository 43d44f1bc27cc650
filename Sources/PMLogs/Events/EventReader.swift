import Glibc
public import PMSystem

/// Reads the file of events in pieces of whole lines, as it was when it was opened: a file that takes its place does not matter.
public struct EventReader {
    /// Bytes that are read at once.
    static let pieceBytes = 1 << 16  // bounded: a literal

    private let path: String
    private let file: SharedFD
    private var place: Int
    /// The beginning of a line whose end was not read yet.
    private var torn: [UInt8] = []

    /// Opens a file, to be read from an offset on; nil when there is none.
    ///
    /// - Throws: `SystemError` with operation `open`.
    public init?(_ path: String, from offset: Int = 0) throws(SystemError) {
        guard try Files.status(path) != nil else { return nil }
        self.path = path
        file = SharedFD(try OwnedFD.open(path, O_RDONLY | O_NOFOLLOW))
        place = max(0, offset)
    }

    /// The next whole lines; nil at the end. A last line without its end was torn, or is being written, and does not count.
    ///
    /// - Throws: `SystemError` with operation `read`.
    public mutating func next() throws(SystemError) -> [UInt8]? {
        while true {
            let piece = try read()
            guard !piece.isEmpty else { return nil }
            guard let end = piece.lastIndex(of: Self.newline) else {
                torn += piece
                // No line of ours is that long: what is there is no file of events.
                if torn.count > Self.longestLine { torn = [] }
                continue
            }
            let lines = torn + piece[...end]
            torn = Array(piece[(end + 1)...])
            return lines
        }
    }

    private mutating func read() throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.pieceBytes)
        let from = place
        let count = try bytes.withUnsafeMutableBufferPointer { (space) throws(SystemError) in
            try FileCalls.read(file.raw, at: from, into: UnsafeMutableRawBufferPointer(space))
        }
        place += count  // bounded: the size of a file
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    static let newline = UInt8(ascii: "\n")
    /// Lines of more bytes are none of ours.
    public static let longestLine = 1 << 17  // bounded: a literal

    /// Calls `body` for each whole line among bytes, with its place without its end.
    public static func forEachLine(
        of bytes: UnsafeRawBufferPointer, _ body: (EventLine, Range<Int>) -> Void
    ) {
        var start = 0
        while start < bytes.count, let base = bytes.baseAddress {
            guard let found = memchr(base + start, Int32(newline), bytes.count - start) else { return }
            let end = UnsafeRawPointer(found) - base
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if line.count <= longestLine, let head = EventLine(line) { body(head, start..<end) }
            start = end + 1
        }
    }
}
