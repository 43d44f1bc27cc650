import PMModel

/// Writes points of time as RFC 3339 has them, with milliseconds; without the C library, whose time zone functions
/// read files and the environment.
enum PrefixerTime {
    static func append(_ time: WallTime, secondsEast: Int, to bytes: inout [UInt8]) {
        let shifted = time.nanoseconds &+ Int64(secondsEast) * 1_000_000_000
        let milliseconds = floorDivide(shifted, 1_000_000)
        let seconds = floorDivide(milliseconds, 1000)
        let days = floorDivide(seconds, 86400)
        let (year, month, day) = civil(days)
        let ofDay = Int(seconds - days * 86400)
        append(year, 4, to: &bytes, after: nil)
        append(month, 2, to: &bytes, after: "-")
        append(day, 2, to: &bytes, after: "-")
        append(ofDay / 3600, 2, to: &bytes, after: "T")
        append(ofDay / 60 % 60, 2, to: &bytes, after: ":")
        append(ofDay % 60, 2, to: &bytes, after: ":")
        append(Int(milliseconds - seconds * 1000), 3, to: &bytes, after: ".")
        appendZone(secondsEast, to: &bytes)
    }

    private static func appendZone(_ secondsEast: Int, to bytes: inout [UInt8]) {
        if secondsEast == 0 {
            bytes.append(UInt8(ascii: "Z"))
            return
        }
        append(abs(secondsEast) / 3600, 2, to: &bytes, after: secondsEast < 0 ? "-" : "+")
        append(abs(secondsEast) / 60 % 60, 2, to: &bytes, after: ":")
    }

    /// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant's days-to-civil arithmetic).
    private static func civil(_ days: Int64) -> (Int, Int, Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func append(
        _ number: Int, _ digits: Int, to bytes: inout [UInt8], after separator: Unicode.Scalar?
    ) {
        if let separator { bytes.append(UInt8(ascii: separator)) }
        let text = String(number)
        for _ in 0..<max(0, digits - text.utf8.count) { bytes.append(UInt8(ascii: "0")) }
        bytes += text.utf8
    }

    private static func floorDivide(_ number: Int64, _ divisor: Int64) -> Int64 {
        let quotient = number / divisor
        return number % divisor < 0 ? quotient - 1 : quotient
    }
}
