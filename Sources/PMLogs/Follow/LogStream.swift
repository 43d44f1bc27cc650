public import PMModel

/// Which output of a service bytes came from.
public enum LogStream: UInt8, Sendable, Hashable, CaseIterable {
    /// Standard output of the unit.
    case out = 0
    /// Standard error of the unit.
    case err = 1
    /// Not the service's: a line that pm itself put into the log.
    case notice = 2
    /// Not the service's: an event of one of its incarnations, as a JSON text.
    case event = 3

    /// The streams that a call wants by their names on the wire (`stdout`, `stderr`, `pm`); without names all but events.
    public static func wanted(_ names: [String]?) -> Set<LogStream> {
        guard let names else { return [.out, .err, .notice] }
        return names.reduce(into: []) { wanted, name in
            switch name {
            case "stdout": wanted.insert(.out)
            case "stderr": wanted.insert(.err)
            case "pm": wanted.formUnion([.notice, .event])
            default: break  // text from outside, which the call has checked
            }
        }
    }
}

/// Properties of a run of bytes that one read returned.
public struct LogStamp: Equatable, Sendable {
    /// The output that the bytes came from.
    public var stream: LogStream
    /// When they arrived (CLOCK_REALTIME).
    public var time: WallTime
    /// True when the bytes begin a new line: an unfinished line of the same stream before them does not go on.
    public var startsAnew: Bool

    /// Makes a stamp; by default the bytes go on where the stream stopped.
    public init(_ stream: LogStream, at time: WallTime, startsAnew: Bool = false) {
        self.stream = stream
        self.time = time
        self.startsAnew = startsAnew
    }
}

/// A place in the log of a unit: everything before it is history, everything after it is to come.
public struct LogPosition: Comparable, Hashable, Sendable {
    /// The segment's number.
    public let sequence: UInt64
    /// Bytes from the segment's start.
    public let offset: Int

    /// Makes a position.
    public init(sequence: UInt64, offset: Int) {
        self.sequence = sequence
        self.offset = offset
    }

    /// Before all that is in a log.
    public static let start = LogPosition(sequence: 0, offset: 0)

    /// `3:1024`, for readers of a log to keep.
    public var text: String { "\(sequence):\(offset)" }

    /// Reads what `text` gives; nil for anything else.
    public init?(text: String) {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false)
        guard numbers.count == 2, let sequence = UInt64(numbers[0]), let offset = Int(numbers[1]), offset >= 0
        else { return nil }
        self.init(sequence: sequence, offset: offset)
    }

    /// The one nearer to the start of the log comes first.
    public static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.sequence, lhs.offset) < (rhs.sequence, rhs.offset)
    }
}
