/// Severity of a line, as in syslog(3): a lower number is more severe.
public enum LogPriority: Int, Sendable, CaseIterable, Comparable {
    /// The system cannot be used.
    case emergency = 0
    /// Something must be done at once.
    case alert = 1
    /// A critical condition.
    case critical = 2
    /// An error.
    case error = 3
    /// Something that may become one.
    case warning = 4
    /// Normal, but worth being seen.
    case notice = 5
    /// Normal.
    case information = 6
    /// For who looks for faults.
    case debug = 7

    /// The more important one comes first.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }

    /// The word that journalctl(1) has for it.
    public var name: String {
        switch self {
        case .emergency: "emerg"
        case .alert: "alert"
        case .critical: "crit"
        case .error: "err"
        case .warning: "warning"
        case .notice: "notice"
        case .information: "info"
        case .debug: "debug"
        }
    }

    /// Reads a word or a number.
    public init?(_ text: String) {
        guard let found = Self.allCases.first(where: { $0.name == text || "\($0.rawValue)" == text }) else {
            return nil
        }
        self = found
    }
}

/// The level that a program may write in front of a line, such as `<3>` (sd-daemon(3)).
public struct LeveledText<Bytes: BidirectionalCollection<UInt8>> where Bytes.SubSequence == Bytes {
    /// The level, if the line has one.
    public let priority: LogPriority?
    /// The line without it.
    public let text: Bytes

    /// Takes a line apart.
    public init(_ line: Bytes) {
        let head = Array(line.prefix(3))
        guard head.count == 3, head[0] == UInt8(ascii: "<"), head[2] == UInt8(ascii: ">"),
            let priority = LogPriority(rawValue: Int(head[1]) - 48)
        else {
            priority = nil
            text = line
            return
        }
        self.priority = priority
        text = line.dropFirst(3)
    }
}
