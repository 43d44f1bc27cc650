import JSON

/// Messages of a batch that are to be handled later: it owns their bytes.
///
/// A class, so that who handles a message may take the rest.
public final class UnfinishedBatch {
    private let bytes: [UInt8]
    /// Offset of the next message; nil after the last one.
    private var offset: Int?

    /// Keeps what an iterator has not given out.
    public init(_ rest: RPCBatch.Iterator) {
        bytes = Array(rest.rest)
        offset = rest.hasMore ? 0 : nil
    }

    /// Memory of the batch in bytes.
    public var size: Int { bytes.count }

    /// Lends the next message; false when there is none.
    public func next(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        bytes.withUnsafeBytes { all in
            guard let range = advance(all) else { return false }
            body(UnsafeRawBufferPointer(rebasing: all[range]))
            return true
        }
    }

    /// Takes all messages that are left, each as a line of its own: a batch is answered as its messages are.
    public var lines: [UInt8] {
        bytes.withUnsafeBytes { all in
            var lines: [UInt8] = []
            while let range = advance(all) {
                lines += all[range]
                lines.append(UInt8(ascii: "\n"))
            }
            return lines
        }
    }

    private func advance(_ all: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let start = offset else { return nil }
        var scanner = JSONScanner(all, at: start)
        // The batch was scanned whole before: nothing here can throw.
        guard let range = try? scanner.skipValue() else { return nil }
        offset = scanner.skip(UInt8(ascii: ",")) ? scanner.offset : nil
        return range
    }
}
