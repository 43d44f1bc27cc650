import ArgumentParser
import Glibc
import PMAPI
import PMModel

/// `--since`: a duration, a time with its zone, a local time, or words such as `yesterday` and `2 hours ago`.
struct LogTime: ExpressibleByArgument, Equatable {
    let value: Log.Since

    init?(argument: String) {
        do throws(APIError) {
            value = try Log.Since(argument)
        } catch {
            if let duration = Self.ago(argument) {
                value = .ago(duration)
                return
            }
            // A text that is no time of the wire may be a time of this machine's clock.
            guard let time = Self.local(argument) else { return nil }
            value = .at(time)
        }
    }

    /// Reads `14:30`, `14:30:15` (today), `2026-11-23` and `2026-11-23 14:30` in the zone of this machine.
    private static func local(_ text: String) -> WallTime? {
        let longest: Int64 = 1 << 40  // bounded: a literal
        if text.hasPrefix("@"), let seconds = Int64(text.dropFirst()), (0...longest).contains(seconds) {
            return WallTime(seconds: seconds)
        }
        if text == "now" { return WallTime(seconds: Int64(time(nil))) }
        if text == "today" { return local(today()) }
        if text == "yesterday" { return local(day(before: 1)) }
        let candidates = [text, "\(text)T00:00", "\(today())T\(text)"]
        guard let asIfUTC = candidates.lazy.compactMap({ WallTime(iso8601: $0 + "Z") }).first else { return nil }
        // The same figures read as local time: mktime(3) knows the zone and whether summer time held that day.
        var seconds = time_t(asIfUTC.nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        parts.tm_isdst = -1
        let local = mktime(&parts)
        return local == -1 ? nil : WallTime(seconds: Int64(local))
    }

    /// Units of time in words, in seconds, without their plural.
    private static let units = [
        "s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "m": 60, "h": 3600, "hr": 3600, "hour": 3600,
        "d": 86_400,
        "day": 86_400, "w": 604_800, "week": 604_800,
    ]

    /// Reads `5min`, `2 hours ago`, `-5min`, `1h 30min ago`.
    private static func ago(_ text: String) -> Duration? {
        var rest = text[...].drop { $0 == "-" }
        if rest.hasSuffix(" ago") { rest = rest.dropLast(4) }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            var unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count).drop { $0 == " " }
            if unit.count > 1, unit.hasSuffix("s") { unit = unit.dropLast() }
            guard let count = Int32(digits), let seconds = units[String(unit)] else { return nil }
            // bounded: a count of 32 bits times a week fits into 64 bits, and a sum that does not is cut.
            total = total.plus(Int64(count) * Int64(seconds))
        }
        return .seconds(total)
    }

    /// Today's date here, `2026-11-23`.
    private static func today() -> String { day(before: 0) }

    /// The date of so many days ago here.
    private static func day(before count: Int32) -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        parts.tm_mday -= count
        let asIfUTC = WallTime(seconds: Int64(timegm(&parts)))
        return String(asIfUTC.iso8601.prefix(10))
    }
}
