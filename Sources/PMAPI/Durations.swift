extension Duration {
    /// Reads `500ms`, `10s`, `2m`, `1h` or `3d`; nil for anything else.
    public init?(shortForm text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count >= 0 else { return nil }
        let unit: Int64
        switch text.dropFirst(digits.count) {
        case "ms": unit = 1
        case "s": unit = 1_000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil  // text from outside, not an enum of ours
        }
        let milliseconds = count.multipliedReportingOverflow(by: unit)
        guard !milliseconds.overflow else { return nil }
        self = .milliseconds(milliseconds.partialValue)
    }

    /// The longest exact short form: `90s` stays `90s`, `120s` becomes `2m`.
    public var shortForm: String {
        let total = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
        for (name, unit) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        where total != 0 && total % unit == 0 {
            return "\(total / unit)\(name)"
        }
        return "\(total)ms"
    }
}
