public import PMModel

/// End of a line.
public enum LineEnd: Equatable, Hashable, Sendable {
    /// With the newline that the service wrote.
    case newline
    /// The line has no newline yet: it is the last of its stream and may still go on.
    case unfinished
    /// The line never got its newline: its writer ended within it, or the rest was lost.
    case brokenOff
    /// The line is too long for one piece, and goes on in the next line of the same stream.
    case split
}

/// One line of output.
public struct LogLine: Equatable, Sendable {
    /// The output that the line came from.
    public let stream: LogStream
    /// When its first byte arrived.
    public let time: WallTime
    /// The bytes as written, without the newline.
    public let bytes: [UInt8]
    /// The way the line ends.
    public let end: LineEnd

    /// Makes a line.
    public init(_ stream: LogStream, at time: WallTime, _ bytes: [UInt8], end: LineEnd) {
        self.stream = stream
        self.time = time
        self.bytes = bytes
        self.end = end
    }

    /// The text; bytes that are not UTF-8 show as U+FFFD.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
