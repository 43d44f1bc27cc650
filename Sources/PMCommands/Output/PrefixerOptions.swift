import PMModel

/// Destination of a prefixer, and the look of its prefixes.
public struct PrefixerOptions: Equatable, Sendable {
    /// The kind of output that shows the bytes.
    public enum Surface: Equatable, Sendable {
        /// A file, a pipe or anything else on which nothing can be drawn over.
        case lines
        /// A terminal of this size.
        case terminal(columns: Int, rows: Int)
    }

    /// The time put before each prefix.
    public enum Timestamps: Equatable, Sendable {
        /// Lines without a time.
        case none
        /// `2026-11-22T10:11:12.345Z`, shifted by so many seconds east of UTC (then `+01:00` instead of `Z`).
        case shown(secondsEastOfUTC: Int)
        /// The same in the zone of this machine, with the offset of that time: a log may span a change to summer time.
        case local
    }

    /// The kind of output that shows the bytes.
    public var surface: Surface
    /// True when prefixes are coloured and colours of programs pass; otherwise both are left out.
    public var hasColour: Bool
    /// The time put before each prefix.
    public var timestamps: Timestamps

    /// Makes options; by default plain lines.
    public init(surface: Surface = .lines, hasColour: Bool = false, timestamps: Timestamps = .none) {
        self.surface = surface
        self.hasColour = hasColour
        self.timestamps = timestamps
    }
}

/// The column between a name and its text: it shows where the text comes from, and no text of a service can forge it.
public enum PrefixerMark: Sendable {
    /// Standard output: a space.
    case output
    /// Standard error: `!`.
    case errors
    /// A line of pm itself: `-`.
    case own

    func append(to bytes: inout [UInt8], isColoured: Bool) {
        let (mark, look): (String, String) =
            switch self {
            case .output: (" ", "")
            case .errors: ("!", "31")
            case .own: ("-", "2")
            }
        if isColoured && !look.isEmpty { PrefixerBytes.appendLook(Array(look.utf8), to: &bytes) }
        bytes += mark.utf8
        if isColoured && !look.isEmpty { bytes += PrefixerBytes.plainLook }
    }
}

/// The colour of a name.
public enum PrefixerColour: UInt8, Sendable, CaseIterable {
    case cyan = 36
    case green = 32
    case yellow = 33
    case magenta = 35
    case blue = 34
    case brightCyan = 96
    case brightGreen = 92
    case brightYellow = 93
    case brightMagenta = 95
    case brightBlue = 94

    /// The colour that a name always has. (Red is left to errors.)
    public static func stable(for name: String) -> PrefixerColour {
        // Both halves: the low one alone differs little between short names.
        let value = Fingerprint(of: name).value
        return allCases[Int(((value >> 32) ^ (value & 0xffff_ffff)) % UInt64(allCases.count))]
    }
}
