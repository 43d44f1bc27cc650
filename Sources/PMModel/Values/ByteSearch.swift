extension StringProtocol {
    /// True when the text has these bytes of UTF-8 somewhere.
    ///
    /// `contains` of a string builds a searcher for each call, which costs 30 times as much on short texts.
    public func hasBytes(of part: StaticString) -> Bool {
        let bytes = utf8
        return part.withUTF8Buffer { part in
            bytes.withContiguousStorageIfAvailable { $0.has(part) }
                ?? Array(bytes).withUnsafeBufferPointer { $0.has(part) }
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func has(_ part: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = part.first else { return true }
        guard count >= part.count else { return false }
        return (0...count - part.count).contains { start in
            self[start] == first && self[start..<start + part.count].elementsEqual(part)
        }
    }
}
