import CPMLinux
public import PMModel

/// A source of time; tests replace it.
public protocol TimeSource: Sendable {
    /// Now on the clock that never jumps and stands still while the machine is suspended (CLOCK_MONOTONIC).
    func monotonic() -> MonotonicTime
    /// Now on the wall clock (CLOCK_REALTIME).
    func wall() -> WallTime
}

/// The clocks of the machine, which the daemon uses.
public struct SystemClock: TimeSource {
    /// Makes a reader of the machine's clocks.
    public init() {}

    /// CLOCK_MONOTONIC: a service that was suspended with the machine had no time to answer, become ready or stop, and
    /// epoll_wait(2) waits on this clock too.
    public func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: pm_clock_monotonic()) }

    /// Time of the wall clock (CLOCK_REALTIME), which can be set.
    public func wall() -> WallTime { WallTime(nanoseconds: Int64(clamping: pm_clock_realtime())) }
}
