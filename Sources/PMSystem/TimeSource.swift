import CPMLinux
public import PMModel

/// Where the time comes from; tests bring their own.
public protocol TimeSource: Sendable {
    /// Now on the clock that never jumps and counts suspended time (CLOCK_BOOTTIME).
    func monotonic() -> MonotonicTime
    /// Now on the wall clock (CLOCK_REALTIME).
    func wall() -> WallTime
}

/// The machine's clocks.
public struct SystemClock: TimeSource {
    /// Makes a reader of the machine's clocks.
    public init() {}

    /// CLOCK_BOOTTIME.
    public func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: pm_clock_boottime()) }

    /// CLOCK_REALTIME.
    public func wall() -> WallTime { WallTime(nanoseconds: Int64(clamping: pm_clock_realtime())) }
}
