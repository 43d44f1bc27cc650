/// A JSON number by its text: as large and as exact as it was written.
public struct JSONNumber: Sendable {
    /// The number as JSON writes it.
    public let text: String

    /// A number whose text the parser has checked.
    init(checked text: String) {
        self.text = text
    }

    /// A whole number.
    public init(_ value: some BinaryInteger) {
        text = String(value)
    }

    /// The shortest text that reads back as `value`; nil for infinities and NaN, which JSON cannot write.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        // JavaScript writes 1, not 1.0; above 2^53 not every whole number is a Double, so the exponent form stays.
        text = whole(value).map(String.init) ?? "\(value)"
    }

    /// The whole number, or nil when it has a fraction or does not fit; `1.0` and `1e3` are whole.
    public var int: Int? {
        if let value = Int(text) { return value }
        let utf8 = text.utf8
        let hasPoint = utf8.contains(UInt8(ascii: ".")) || utf8.contains { $0 | 0x20 == UInt8(ascii: "e") }
        return hasPoint ? whole(double) : nil
    }

    /// The nearest `Double`; infinite when it is out of range.
    public var double: Double {
        // The text follows JSON's grammar, a part of Swift's: this conversion cannot fail.
        Double(text) ?? .nan
    }
}

extension JSONNumber: Equatable {
    /// Equal when written alike or when both are the same whole number.
    public static func == (lhs: JSONNumber, rhs: JSONNumber) -> Bool {
        if lhs.text == rhs.text { return true }
        guard let value = lhs.int else { return false }
        return value == rhs.int
    }
}

/// The whole number that `value` is; nil from 2^53 on, where a Double no longer tells neighbours apart.
private func whole(_ value: Double) -> Int? {
    guard abs(value) < 9_007_199_254_740_992 else { return nil }
    let truncated = Int(value)
    return Double(truncated) == value ? truncated : nil
}
