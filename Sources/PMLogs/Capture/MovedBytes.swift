/// Bytes that went from a pipe into a segment without coming through this process.
struct MovedBytes {
    let writer: SegmentWriter
    let offset: Int
    let count: Int

    /// Reads them, or the last `limit` of them.
    func bytes(
        into buffer: UnsafeMutableRawBufferPointer, last limit: Int = .max
    ) -> UnsafeRawBufferPointer {
        let size = min(count, limit, buffer.count)
        let space = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
        // What has just been written can be read. If not, they are in the log all the same, and only who follows it
        // misses them.
        let found = (try? writer.read(at: offset + count - size, into: space)) ?? 0
        return UnsafeRawBufferPointer(rebasing: space[..<found])
    }
}
