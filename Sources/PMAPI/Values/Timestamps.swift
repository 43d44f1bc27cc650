public import PMModel

/// A day and a time of day in UTC, in the proleptic Gregorian calendar.
struct CivilTime {
    var year = 1970
    var month = 1
    var day = 1
    var second = 0
    var nanosecond = 0

    /// Days from 1970-01-01; the year is counted from March so that the leap day is its last.
    var daysSince1970: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        // bounded: a year has four digits, a month and a day two.
        let yearOfEra = shifted - era * 400
        // bounded: the same.
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        // bounded: the same.
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    init() {}

    init(nanosecondsSince1970 total: Int64) {
        let seconds = Int(total.quotientRoundingDown(1_000_000_000))
        // The product may be below the smallest number; the difference is right all the same, modulo 2^64.
        nanosecond = Int(total &- Int64(seconds) &* 1_000_000_000)
        let days = Int(Int64(seconds).quotientRoundingDown(86_400))
        // bounded: less than the number that was divided, here and below.
        second = seconds - days * 86_400
        let shifted = days + 719_468
        let era = Int(Int64(shifted).quotientRoundingDown(146_097))
        let dayOfEra = shifted - era * 146_097  // bounded: as above
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        // bounded: years of an era.
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153  // bounded: days of a year
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1  // bounded: months of a year
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        // bounded: eras of a time in 64 bits.
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}

extension Int64 {
    fileprivate func quotientRoundingDown(_ divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : (self + 1) / divisor - 1
    }
}

extension WallTime {
    /// `2026-11-23T01:02:03.456789Z`: UTC, microseconds, always 27 characters, so that text order is time order.
    public var iso8601: String {
        let civil = CivilTime(nanosecondsSince1970: nanoseconds)
        var text: [UInt8] = []
        text.reserveCapacity(27)
        func put(_ number: Int, _ digits: Int, _ separator: Character?) {
            var divisor = 1
            for _ in 1..<digits { divisor *= 10 }  // bounded: at most six digits
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
                divisor /= 10
            }
            if let ascii = separator?.asciiValue { text.append(ascii) }
        }
        put(civil.year, 4, "-")
        put(civil.month, 2, "-")
        put(civil.day, 2, "T")
        put(civil.second / 3_600, 2, ":")
        put(civil.second / 60 % 60, 2, ":")
        put(civil.second % 60, 2, ".")
        put(civil.nanosecond / 1_000, 6, "Z")
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a time with its zone, `2026-11-23T01:02:03Z` or `…+01:00`, fraction optional; nil for anything else.
    public init?(iso8601 text: String) {
        var reader = DigitReader(text)
        var civil = CivilTime()
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), (1...12).contains(month),
            reader.skip("-"), let day = reader.number(2), (1...31).contains(day), reader.skip("T") || reader.skip(" "),
            let hour = reader.number(2), hour < 24, reader.skip(":"), let minute = reader.number(2), minute < 60
        else { return nil }
        (civil.year, civil.month, civil.day) = (year, month, day)
        civil.second = hour * 3_600 + minute * 60  // bounded: two digits each
        if reader.skip(":") {
            guard let second = reader.number(2), second <= 60 else { return nil }
            civil.second += second
            if reader.skip(".") { civil.nanosecond = reader.fraction() }
        }
        guard let offset = reader.zoneOffset(), reader.isAtEnd else { return nil }
        // bounded: days until the year 9999.
        let seconds = civil.daysSince1970 * 86_400 + civil.second - offset
        self.init(seconds: Int64(seconds), nanoseconds: Int64(civil.nanosecond))
    }
}

/// Reads digits and separators from the front of a text.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Character) -> Bool {
        guard let first = rest.first, first == character.asciiValue else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ digits: Int) -> Int? {
        guard rest.count >= digits else { return nil }
        var number = 0
        for byte in rest.prefix(digits) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            // bounded: at most four digits.
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        rest = rest.dropFirst(digits)
        return number
    }

    /// Nanoseconds of a fraction of a second; digits after the ninth are dropped.
    mutating func fraction() -> Int {
        var (nanoseconds, weight) = (0, 100_000_000)
        while let digit = number(1) {
            nanoseconds += digit * weight  // bounded: nine digits; the weight of the tenth is 0
            weight /= 10
        }
        return nanoseconds
    }

    /// Seconds east of UTC.
    mutating func zoneOffset() -> Int? {
        if skip("Z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2) else { return nil }
        // bounded: two digits each.
        return sign * (hours * 3_600 + minutes * 60)
    }
}
