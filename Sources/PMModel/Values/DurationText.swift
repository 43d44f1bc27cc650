/// Durations as they are written in a configuration and on the command line.
public enum DurationText {
    /// The expected form, for error messages.
    public static let expectation = #"a duration such as "500ms", "10s", "2m" or "1h", or a number of milliseconds"#

    /// Units and their milliseconds, longest first.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The duration that `500ms`, `1.5s`, `2m`, `1h`, `1d` or `1500` (milliseconds) stands for; nil for anything else.
    public static func parse(_ text: String) -> Duration? {
        let digits = text.utf8.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
        let unit = String(Substring(text.utf8[digits.endIndex...]))
        let parts = Substring(digits).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]) else { return nil }
        if unit.isEmpty { return parts.count == 1 ? milliseconds(whole, times: 1) : nil }
        guard let scale = units.first(where: { $0.name == unit })?.milliseconds else { return nil }
        guard let base = milliseconds(whole, times: scale) else { return nil }
        guard parts.count == 2 else { return base }
        return fraction(parts[1], of: scale).map { base + $0 }
    }

    /// The shortest text that `parse` reads as this duration, whole milliseconds.
    public static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let total = seconds.times(1000).plus(attoseconds / 1_000_000_000_000_000)
        for unit in units where total.isMultiple(of: unit.milliseconds) && total >= unit.milliseconds {
            return "\(total / unit.milliseconds)\(unit.name)"
        }
        return "\(total)ms"
    }

    /// Nine digits after the point are more than any unit needs; more are an error and not a surprise.
    private static func fraction(_ digits: Substring, of scale: Int64) -> Duration? {
        guard (1...9).contains(digits.utf8.count), let value = Int64(digits) else { return nil }
        var power: Int64 = 1
        for _ in digits.utf8 { power *= 10 }  // bounded: at most nine digits
        // bounded: less than a day.
        return .nanoseconds(Int64(Double(value) / Double(power) * Double(scale) * 1_000_000))
    }

    private static func milliseconds(_ value: Int64, times scale: Int64) -> Duration? {
        let (product, overflow) = value.multipliedReportingOverflow(by: scale)
        // Later arithmetic is in nanoseconds, and an Int64 holds 292 years of them.
        // bounded: literals.
        guard !overflow, product <= 200 * 365 * 86_400_000 else { return nil }
        return .milliseconds(product)
    }
}

extension Duration {
    /// The shortest text in whole milliseconds that says this: `90s`, `2m`.
    public var shortForm: String { DurationText.text(self) }
}

/// Sizes as they are written in a configuration.
public enum SizeText {
    /// The expected form, for error messages.
    public static let expectation = #"a size such as "512KiB", "10MB" or "1GiB", or a number of bytes"#

    private static let units: [(name: String, bytes: Int64)] = [
        ("", 1), ("b", 1), ("kb", 1000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
        // bounded: literals.
        ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40),
        // bounded: literals.
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
    ]

    /// The bytes that `512`, `64k`, `10MB` (10,000,000), `10MiB` or `10M` (both 10,485,760) stand for; nil for anything
    /// else. Upper and lower case are the same.
    public static func parse(_ text: String) -> Int64? {
        let digits = text.utf8.prefix(while: isDigit)
        let unit = Substring(text.utf8[digits.endIndex...]).lowercased()
        guard let value = Int64(Substring(digits)), let scale = units.first(where: { $0.name == unit })?.bytes else {
            return nil
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: scale)
        return overflow ? nil : product
    }

    /// About so many bytes, in at most five letters: `512K`, `48.3M`, `1.2G`.
    public static func short(_ bytes: Int64) -> String {
        // bounded: literals.
        let units: [(String, Int64)] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
        guard let (name, size) = units.first(where: { bytes >= $0.1 }) else { return "\(bytes)" }
        let tenths = bytes / (size / 10)
        return tenths >= 1000 || name == "K" ? "\(bytes / size)\(name)" : "\(tenths / 10).\(tenths % 10)\(name)"
    }

    /// The shortest text that `parse` reads as so many bytes: `256MiB`.
    public static func text(_ bytes: Int64) -> String {
        let binary = units.suffix(4).reversed()
        guard bytes > 0, let unit = binary.first(where: { bytes.isMultiple(of: $0.bytes) }) else { return "\(bytes)" }
        return "\(bytes / unit.bytes)\(unit.name.prefix(1).uppercased())iB"
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
