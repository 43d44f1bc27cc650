import NIOCore

/// Cuts what arrives into lines.
struct LineBuffer {
    /// The longest line; more than the daemon ever sends.
    static let limit = 80 << 20

    private var bytes = ByteBuffer()
    /// The number of bytes that were searched and have no line end.
    private var searched = 0

    /// Bytes that wait for the end of their line.
    var count: Int { bytes.readableBytes }

    /// True when a line is longer than the limit.
    var isTooLong: Bool { bytes.readableBytes > Self.limit }

    mutating func append(_ more: ByteBuffer) {
        var more = more
        if bytes.readableBytes == 0 { bytes = more } else { bytes.writeBuffer(&more) }
    }

    /// The next whole line, without its end.
    mutating func next() -> ByteBuffer? {
        let view = bytes.readableBytesView
        guard let end = view[view.index(view.startIndex, offsetBy: searched)...].firstIndex(of: UInt8(ascii: "\n"))
        else {
            searched = view.count
            if bytes.readableBytes == 0 { bytes = ByteBuffer() }
            return nil
        }
        let line = bytes.readSlice(length: view.distance(from: view.startIndex, to: end))
        bytes.moveReaderIndex(forwardBy: 1)
        searched = 0
        return line
    }

    /// All that is there, though its line has no end yet.
    mutating func takeAll() -> ByteBuffer {
        defer {
            bytes = ByteBuffer()
            searched = 0
        }
        return bytes
    }
}
