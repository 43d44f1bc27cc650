import ArgumentParser
import Glibc
import PMAPI
import PMModel

/// `--since`: a duration, a time with its zone, or a local time.
struct LogTime: ExpressibleByArgument, Equatable {
    let value: Log.Since

    init?(argument: String) {
        do throws(APIError) {
            value = try Log.Since(argument)
        } catch {
            // A text that is no time of the wire may be a time of this machine's clock.
            guard let time = Self.local(argument) else { return nil }
            value = .at(time)
        }
    }

    /// Reads `14:30`, `14:30:15` (today), `2026-11-23` and `2026-11-23 14:30` in the zone of this machine.
    private static func local(_ text: String) -> WallTime? {
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

    /// Today's date here, `2026-11-23`.
    private static func today() -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        let asIfUTC = WallTime(seconds: Int64(timegm(&parts)))
        return String(asIfUTC.iso8601.prefix(10))
    }
}
