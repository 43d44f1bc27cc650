import PMModel

/// What a prefixer writes to, and how its prefixes look.
public struct PrefixerOptions: Equatable, Sendable {
    /// What the bytes are shown on.
    public enum Surface: Equatable, Sendable {
        /// A file, a pipe or anything else on which nothing can be drawn over.
        case lines
        /// A terminal of this size.
        case terminal(columns: Int, rows: Int)
    }

    /// The time put before each prefix.
    public enum Timestamps: Equatable, Sendable {
        /// No time.
        case none
        /// `2026-11-22T10:11:12.345Z`, shifted by so many seconds east of UTC (then `+01:00` instead of `Z`).
        case shown(secondsEastOfUTC: Int)
        /// The same in the zone of this machine, with the offset that held at that time: summer time comes and goes in a log.
        case local
    }

    /// What the bytes are shown on.
    public var surface: Surface
    /// Whether prefixes are coloured and the colours of the programs pass; without it both are left out.
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
