/// A point of the monotonic clock (CLOCK_MONOTONIC: it never jumps, and stands still while the machine is suspended).
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds for which the machine has run since it started.
    public var nanoseconds: UInt64

    /// Makes a point from nanoseconds since the machine started.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The earlier of two points comes first.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    /// The point this much later; never before the machine's start.
    public static func + (lhs: Self, rhs: Duration) -> Self {
        let sum = Int64(clamping: lhs.nanoseconds).addingReportingOverflow(rhs.nanoseconds)
        return Self(nanoseconds: sum.overflow ? UInt64(Int64.max) : UInt64(max(0, sum.partialValue)))
    }

    /// The time from `rhs` to `lhs`; negative when `rhs` is later.
    public static func - (lhs: Self, rhs: Self) -> Duration {
        .nanoseconds(Int64(clamping: lhs.nanoseconds).minus(Int64(clamping: rhs.nanoseconds)))
    }
}

/// A point of the wall clock (CLOCK_REALTIME); it may jump when the clock is set.
public struct WallTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanoseconds: Int64

    /// Makes a point from nanoseconds since 1970.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The earlier of two points comes first.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    /// The point that lies this long before.
    public static func - (lhs: Self, rhs: Duration) -> Self {
        WallTime(nanoseconds: lhs.nanoseconds.minus(rhs.nanoseconds))
    }

    /// The time from `rhs` to `lhs`; negative when `rhs` is later.
    public static func - (lhs: Self, rhs: Self) -> Duration { .nanoseconds(lhs.nanoseconds.minus(rhs.nanoseconds)) }

    /// Makes a point from seconds since 1970 and nanoseconds after them; what a point cannot hold, before 1677 or after
    /// 2262, is the nearest that it can.
    public init(seconds: Int64, nanoseconds: Int64 = 0) {
        // Both parts of one sign: the first does not leave what the second would bring back.
        let isBefore = seconds < 0 && nanoseconds > 0
        let whole = (isBefore ? seconds + 1 : seconds).times(1_000_000_000)
        self.init(nanoseconds: whole.plus(isBefore ? nanoseconds - 1_000_000_000 : nanoseconds))
    }
}

extension Duration {
    /// The whole duration in nanoseconds, clamped to what an Int64 holds (292 years).
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !whole.overflow else { return seconds < 0 ? .min : .max }
        let (sum, isOver) = whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isOver ? (seconds < 0 ? .min : .max) : sum
    }

    /// The whole duration in milliseconds, rounded up so that a wait is never cut short.
    public var milliseconds: Int64 { nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0) }
}
