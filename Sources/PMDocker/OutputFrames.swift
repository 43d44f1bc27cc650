import NIOCore

/// Takes apart what a container without a terminal writes (Docker Engine API, "Attach to a container", stream format): frames
/// of one byte for the stream, three zero bytes, four bytes of length, most significant first, and the content.
struct OutputFrames {
    /// A piece of a container's output.
    struct Piece: Equatable {
        /// The output that a piece belongs to.
        enum Stream: Equatable {
            case output
            case errors
        }

        let stream: Stream
        let content: ByteBuffer
    }

    /// A frame that no engine sends.
    struct Nonsense: Error, Equatable, CustomStringConvertible {
        let stream: UInt8

        var description: String {
            "the engine sent output of the unknown stream \(stream); pm needs a container without a terminal (Tty)"
        }
    }

    private var rest = ByteBuffer()
    /// The unread rest of the present frame, and its output.
    private var open: (stream: Piece.Stream, missing: Int)?

    /// The pieces in what has come; content is passed on before its frame is whole.
    ///
    /// - Throws: `Nonsense`.
    mutating func received(_ bytes: ByteBuffer) throws(Nonsense) -> [Piece] {
        rest.writeImmutableBuffer(bytes)
        var pieces: [Piece] = []
        while true {
            if let (stream, missing) = open {
                guard let content = rest.readSlice(length: min(missing, rest.readableBytes)) else { break }
                let left = missing - content.readableBytes
                open = left > 0 ? (stream, left) : nil
                if content.readableBytes > 0 { pieces.append(Piece(stream: stream, content: content)) }
                if left > 0 { break }
            } else {
                guard let frame = try readHeader() else { break }
                open = frame
            }
        }
        rest.discardReadBytes()
        return pieces
    }

    private mutating func readHeader() throws(Nonsense) -> (stream: Piece.Stream, missing: Int)? {
        guard rest.readableBytes >= 8,
            let (stream, _, _, length) = rest.readMultipleIntegers(as: (UInt8, UInt8, UInt16, UInt32).self)
        else { return nil }
        switch stream {
        case 0, 1: return (.output, Int(length))
        case 2: return (.errors, Int(length))
        default: throw Nonsense(stream: stream)
        }
    }
}
