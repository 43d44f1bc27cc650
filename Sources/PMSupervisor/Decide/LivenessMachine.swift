public import PMModel

/// An event for the liveness check of one incarnation.
public enum LivenessEvent: Equatable, Sendable {
    /// The unit is ready; its process was started at this time.
    case began(startedAt: MonotonicTime)
    /// Something may be wrong since then: an unanswered call, or much use of the processor.
    case suspected(since: MonotonicTime)
    /// The check passed.
    case passed
    /// The check failed; the text says what it saw.
    case failed(String)
    /// The unit wrote something last at this time: the result of an `output` check.
    case wrote(MonotonicTime)
    /// The timer fired; tokens that are not the armed one's are ignored.
    case timerFired(token: UInt64)
}

/// An action of the liveness check, in order with the others.
public enum LivenessAction: Equatable, Sendable {
    /// Make the check; answered by `passed`, `failed` or `wrote`.
    case check
    /// End the check that is under way: its time is over.
    case endCheck
    /// Fire with this token at this time, instead of any earlier timer.
    case armTimer(at: MonotonicTime, token: UInt64)
    /// The unit has not responded since this time.
    case unresponsive(since: MonotonicTime)
    /// The unit responds again, after so long.
    case responsive(after: Duration)
    /// End the unit.
    case end(LivenessResponse, seen: String)
}

/// Decides when a running unit is checked, and when it counts as unresponsive: an event goes in, actions come out.
///
/// It is a plain value without a clock, as `UnitStateMachine` is. It begins with each incarnation and with each daemon.
/// With `rpc` and no interval there is no timer at all while nothing is suspected, so that an idle unit costs nothing.
public struct LivenessMachine: Equatable, Sendable {
    private enum State: Equatable, Sendable {
        /// No check is under way.
        case resting
        /// A check is under way since `begun`; what it looks for may have begun earlier.
        case checking(since: MonotonicTime, begun: MonotonicTime)
    }

    /// The policy.
    public let policy: LivenessPolicy
    /// Checks that failed in a row.
    public private(set) var failures = 0
    /// Since when it has not responded, as the first of these checks saw; nil: none failed.
    public private(set) var failingSince: MonotonicTime?
    /// True when so many failed that it counts as unresponsive.
    public private(set) var isUnresponsive = false
    /// What the last failed check saw.
    public private(set) var seen = ""
    private var state = State.resting
    private var countsFrom = MonotonicTime(nanoseconds: 0)
    private var token: UInt64 = 0

    /// A check that has not begun.
    public init(_ policy: LivenessPolicy) {
        self.policy = policy
    }

    /// Takes one event and returns what is to be done, in order.
    public mutating func handle(_ event: LivenessEvent, at now: MonotonicTime) -> [LivenessAction] {
        switch event {
        case .began(let startedAt):
            countsFrom = startedAt + policy.startPeriod
            if case .output(let limit) = policy.check { return [arm(at: max(now, countsFrom) + limit)] }
            return policy.interval > .zero ? [arm(at: now + policy.interval)] : []
        case .suspected(let since):
            guard policy.check == .rpc, state == .resting else { return [] }
            return beginCheck(since: since, now)
        case .passed: return pass(now)
        case .failed(let seen):
            guard case .checking(let since, let begun) = state else { return [] }
            state = .resting
            return fail(seen, since: since, now) + rest(begun, now)
        case .wrote(let time): return look(time, now)
        case .timerFired(let token): return token == self.token ? timeIsUp(now) : []
        }
    }

    private mutating func timeIsUp(_ now: MonotonicTime) -> [LivenessAction] {
        guard case .checking(let since, let begun) = state else {
            if case .output = policy.check { return [.check] }
            return beginCheck(since: now, now)
        }
        let text = "\(policy.check.lateness) in \(policy.timeout.shortForm)"
        guard policy.check == .rpc else {
            state = .resting
            return [.endCheck] + fail(text, since: since, now) + rest(begun, now)
        }
        // The question lies in the channel and will be answered, if the unit ever goes on: it is not repeated.
        let actions = fail(text, since: since, now)
        return isUnresponsive ? actions : actions + [arm(at: now + policy.timeout)]
    }

    private mutating func beginCheck(since: MonotonicTime, _ now: MonotonicTime) -> [LivenessAction] {
        state = .checking(since: since, begun: now)
        return [arm(at: now + policy.timeout), .check]
    }

    private mutating func pass(_ now: MonotonicTime) -> [LivenessAction] {
        guard case .checking(_, let begun) = state else { return [] }
        state = .resting
        return recover(now) + rest(begun, now)
    }

    private mutating func recover(_ now: MonotonicTime) -> [LivenessAction] {
        countsFrom = MonotonicTime(nanoseconds: 0)
        defer { (failures, failingSince, isUnresponsive, seen) = (0, nil, false, "") }
        guard isUnresponsive, let failingSince else { return [] }
        return [.responsive(after: now - failingSince)]
    }

    /// The next check comes an interval after the last one has begun; the timer of that one must not fire any more.
    private mutating func rest(_ begun: MonotonicTime, _ now: MonotonicTime) -> [LivenessAction] {
        guard policy.interval > .zero else {
            token += 1
            return []
        }
        return [arm(at: max(now, begun + policy.interval))]
    }

    private mutating func fail(_ seen: String, since: MonotonicTime, _ now: MonotonicTime) -> [LivenessAction] {
        guard now >= countsFrom else { return [] }
        failures = min(failures + 1, Self.mostCounted)
        failingSince = failingSince ?? since
        self.seen = seen
        guard failures >= policy.retries, !isUnresponsive else { return [] }
        isUnresponsive = true
        let told = LivenessAction.unresponsive(since: failingSince ?? since)
        return policy.action == .report ? [told] : [told, .end(policy.action, seen: seen)]
    }

    private static let mostCounted = 1_000_000

    private mutating func look(_ written: MonotonicTime, _ now: MonotonicTime) -> [LivenessAction] {
        guard case .output(let limit) = policy.check else { return [] }
        let since = max(written, countsFrom)
        guard now - since >= limit else { return recover(now) + [arm(at: since + limit)] }
        return fail("no output for \(limit.shortForm)", since: since, now) + [arm(at: now + limit)]
    }

    private mutating func arm(at time: MonotonicTime) -> LivenessAction {
        token += 1
        return .armTimer(at: time, token: token)
    }
}

extension LivenessCheck {
    /// What a check has not got when its time is over.
    fileprivate var lateness: String {
        switch self {
        case .none, .output: "nothing"
        case .rpc: "no answer to $ping"
        case .tcp(let host, let port): "no connection at \(host):\(port)"
        case .http: "no answer to GET"
        case .exec: "no end of the check"
        case .probe(let probe): "no answer of the check \(probe.name)"
        }
    }
}
