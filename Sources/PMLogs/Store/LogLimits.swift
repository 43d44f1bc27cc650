/// Limits of a service's stored output.
public struct LogLimits: Equatable, Sendable {
    /// Longest segment, bytes, its index included.
    public let segmentBytes: Int
    /// Most segments, the one being written included.
    public let segments: Int
    /// Most that waits for all who follow logs, of all services together, bytes.
    public let waitingBytes: Int

    /// Makes limits; values that cannot work are clamped (4 KB to 1 GB a segment, at least one segment).
    public init(segmentBytes: Int = 10_000_000, segments: Int = 5, waitingBytes: Int = 64 << 20) {
        self.waitingBytes = max(0, waitingBytes)
        self.segmentBytes = min(max(segmentBytes, 4096), 1 << 30)
        self.segments = max(segments, 1)
    }

    /// The most that all files of a service hold together, bytes.
    public var totalBytes: Int { segmentBytes * segments }
}
