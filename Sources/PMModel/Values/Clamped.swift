/// Arithmetic on numbers from outside: what does not fit becomes the nearest number that does.
///
/// Swift's own operators end the process on overflow. For a date, a size or a counter that somebody else wrote, the largest
/// number is as good an answer as any other wrong one, and the daemon goes on.
extension FixedWidthInteger {
    /// The sum, or the nearest limit of the type instead of a trap.
    public func plus(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the nearest limit of the type instead of a trap.
    public func minus(_ other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 || self > other ? .max : .min) : difference
    }

    /// The product, or the nearest limit of the type instead of a trap.
    public func times(_ other: Self) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}
