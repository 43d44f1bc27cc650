import Glibc
import PMModel

extension Duration {
    /// A length of time for people, two units at most: `340ms`, `5s`, `2m 5s`, `3h 4m`, `2d 7h`.
    var forPeople: String {
        let total = max(0, components.seconds)
        switch total {
        case 0: return "\(components.attoseconds / 1_000_000_000_000_000)ms"
        case ..<60: return "\(total)s"
        case ..<3_600: return Self.pair(total / 60, "m", total % 60, "s")
        case ..<86_400: return Self.pair(total / 3_600, "h", total % 3_600 / 60, "m")
        default: return Self.pair(total / 86_400, "d", total % 86_400 / 3_600, "h")  // a number, not an enum
        }
    }

    private static func pair(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(unit)" : "\(large)\(unit) \(small)\(smallUnit)"
    }
}

/// Times in the zone of this machine.
enum TimeText {
    /// Seconds between local time and UTC at a time (localtime_r(3)); the difference changes with summer time.
    static func secondsEast(at time: WallTime) -> Int {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts.tm_gmtoff
    }

    /// A time for people, `2026-11-23 14:30:05`.
    static func local(_ time: WallTime) -> String {
        let shifted = time - .seconds(-secondsEast(at: time))
        return String(shifted.iso8601.prefix(19)).replacing("T", with: " ")
    }
}
