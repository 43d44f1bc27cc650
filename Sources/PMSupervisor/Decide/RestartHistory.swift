public import PMModel

/// The decision after a death.
public enum RestartDecision: Equatable, Sendable {
    /// Restart after this pause, zero for the first of a series.
    case restart(after: Duration)
    /// Cooling: one slow try after this pause.
    case cool(for: Duration)
    /// The policy asks for no restart.
    case stayDown
    /// No further try: none could succeed until the cause is corrected.
    case giveUp
}

/// Decides whether and when an instance is restarted, from its policy and its last deaths.
///
/// A series of deaths ends with a run of `resetAfter`, with a manual start, or with a death that the policy does not
/// answer with a restart. `limit` deaths within `window` begin the cooling, which only the end of the series ends.
public struct RestartHistory: Equatable, Sendable {
    /// The number of deaths that are remembered.
    public static let capacity = RestartPolicy.largestLimit
    /// The distance of two deaths is saved in 32 bits of milliseconds: 49 days.
    private static let longestWindow = Duration.milliseconds(UInt32.max)

    /// When it died, oldest first, to the millisecond.
    public internal(set) var deaths: [MonotonicTime] = []
    /// Restarts of this series that were decided with backoff.
    public internal(set) var attempt: UInt16 = 0
    /// True when the series reached the limit.
    public internal(set) var isCooling = false

    /// An instance that never died.
    public init() {}

    /// Ends the series: the next death is a first one.
    public mutating func clear() {
        self = Self()
    }

    /// Records a death and says what follows it.
    public mutating func decide(
        after death: UnexpectedDeath, policy: RestartPolicy, jitter: inout some RandomNumberGenerator
    ) -> RestartDecision {
        guard policy.answers(death.reason) else {
            clear()
            return .stayDown
        }
        if death.reason.isPermanent {
            clear()
            return .giveUp
        }
        if death.endsSeries(of: policy) { clear() }
        record(death.at, policy: policy)
        isCooling = isCooling || (policy.limit > 0 && deaths.count >= policy.limit)
        guard !isCooling else { return .cool(for: policy.coolingDelay) }
        defer { attempt = attempt == .max ? .max : attempt + 1 }
        return .restart(after: Backoff(policy: policy).pause(attempt: attempt, using: &jitter))
    }

    /// Adds a death and drops those that no longer count; at most `capacity` remain.
    private mutating func record(_ time: MonotonicTime, policy: RestartPolicy) {
        let rounded = MonotonicTime(nanoseconds: time.nanoseconds - time.nanoseconds % 1_000_000)
        let window = min(policy.window, Self.longestWindow)
        deaths.removeAll { $0 > rounded || rounded - $0 >= window }
        deaths.append(rounded)
        if deaths.count > Self.capacity { deaths.removeFirst() }
    }
}

/// A death nobody asked for, as the restart decision sees it.
public struct UnexpectedDeath: Equatable, Sendable {
    /// Cause of the death.
    public var reason: ExitReason
    /// When it ended, or when it missed its readiness deadline.
    public var at: MonotonicTime
    /// Time from its start to its death.
    public var ranFor: Duration

    /// Makes a death.
    public init(reason: ExitReason, at: MonotonicTime, ranFor: Duration) {
        self.reason = reason
        self.at = at
        self.ranFor = ranFor
    }

    /// True when the run was long and good enough for its death to begin a new series.
    fileprivate func endsSeries(of policy: RestartPolicy) -> Bool {
        switch reason {
        case .exited, .signaled, .memory, .unresponsive: ranFor >= policy.resetAfter
        // A run that never served proves nothing, however long its deadline was.
        case .notReady, .spawnFailed: false
        }
    }
}

extension RestartPolicy {
    /// True when a death of this kind leads to a restart.
    func answers(_ reason: ExitReason) -> Bool {
        switch condition {
        case .always: true
        case .onFailure: reason.isFailure
        case .never: false
        }
    }
}
