public import PMModel

/// The growing pause between two restarts: none before the first, then exponential with jitter.
///
/// The n-th pause is drawn evenly from the upper half of `delay * 2^n`, held within `delay` and `maxDelay`. The
/// jitter keeps units that died together, of a lost database for example, from coming back together.
public struct Backoff: Equatable, Sendable {
    /// Shortest pause before a restart; the first restart of a series has none.
    public var delay: Duration
    /// The longest pause; where it is below `delay`, it is the only one.
    public var maxDelay: Duration

    /// Takes the bounds of a restart policy.
    public init(policy: RestartPolicy) {
        delay = policy.delay
        maxDelay = policy.maxDelay
    }

    /// The pause before a restart; `attempt` counts the restarts of the series so far, 0 for the first.
    public func pause(attempt: UInt16, using jitter: inout some RandomNumberGenerator) -> Duration {
        guard attempt > 0 else { return .zero }
        let ceiling = max(0, maxDelay.nanoseconds)
        let floor = min(max(0, delay.nanoseconds), ceiling)
        let upper = Self.doubled(floor, times: attempt, ceiling: ceiling)
        return .nanoseconds(Int64.random(in: max(floor, upper / 2)...upper, using: &jitter))
    }

    /// `base * 2^times`, at most `ceiling`; never overflows.
    private static func doubled(_ base: Int64, times: UInt16, ceiling: Int64) -> Int64 {
        guard base > 0, times < 63 else { return base > 0 ? ceiling : 0 }
        let (product, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(times))
        return overflow ? ceiling : min(product, ceiling)
    }
}

/// A small seeded generator (SplitMix64), so that a machine is a plain value and a test can repeat its jitter.
public struct JitterSource: RandomNumberGenerator, Equatable, Sendable {
    private var state: UInt64

    /// Starts a sequence; equal seeds give equal sequences.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits of the sequence.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
