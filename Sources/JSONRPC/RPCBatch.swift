import JSON

/// The messages of a batch as bytes, in order; each is for `Message.scan(element:)`.
public struct RPCBatch: Sequence {
    /// Walks the elements.
    public struct Iterator: IteratorProtocol {
        private var scanner: JSONScanner
        private var isDone = false

        fileprivate init(_ bytes: UnsafeRawBufferPointer) {
            scanner = JSONScanner(bytes)
            _ = scanner.skip(UInt8(ascii: "["))
        }

        /// True when there is another element.
        public var hasMore: Bool { !isDone }

        /// The remaining elements, as an array without its opening bracket: what an unfinished batch keeps.
        var rest: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: scanner.bytes[scanner.offset...])
        }

        /// The next element.
        public mutating func next() -> UnsafeRawBufferPointer? {
            // The batch was scanned whole before: nothing here can throw.
            guard !isDone, let range = try? scanner.skipValue() else { return nil }
            isDone = !scanner.skip(UInt8(ascii: ","))
            return UnsafeRawBufferPointer(rebasing: scanner.bytes[range])
        }
    }

    /// The array as it was written.
    public let raw: UnsafeRawBufferPointer

    /// Takes an array that is known to be JSON; throws when it is empty (JSON-RPC 2.0 section 6).
    init(_ raw: UnsafeRawBufferPointer) throws(MalformedMessage) {
        self.raw = raw
        var iterator = Iterator(raw)
        guard iterator.next() != nil else {
            throw MalformedMessage(.invalidRequest("a batch must not be empty"), id: nil)
        }
    }

    /// True when the batch has more messages than that; counts no further than it has to.
    public func isLonger(than count: Int) -> Bool {
        var iterator = makeIterator()
        for _ in 0..<count where iterator.next() == nil { return false }
        return iterator.next() != nil
    }

    /// Walks the elements.
    public func makeIterator() -> Iterator { Iterator(raw) }
}
