import PMModel
import PMSupervisor
import Testing

struct RestartTests {
    private var history = RestartHistory()
    private var policy = RestartPolicy()
    private var jitter = JitterSource(seed: 1)
    private var now = MonotonicTime(nanoseconds: 5_000_000_000)

    private mutating func die(_ reason: ExitReason = .crash, ranFor: Duration = .zero) -> RestartDecision {
        let death = UnexpectedDeath(reason: reason, at: now, ranFor: ranFor)
        return history.decide(after: death, policy: policy, jitter: &jitter)
    }

    @Test(arguments: [
        (RestartPolicy.Condition.always, ExitReason.clean, true),
        (.always, .exited(code: 1), true),
        (.onFailure, .clean, false),
        (.onFailure, .exited(code: 1), true),
        (.onFailure, .crash, true),
        (.onFailure, .spawnFailed(.chdir), true),
        (.onFailure, .notReady(deadline: .seconds(60)), true),
        (.never, .clean, false),
        (.never, .crash, false),
        (.never, .spawnFailed(.chdir), false),
    ])
    mutating func `the policy decides which deaths are answered`(
        condition: RestartPolicy.Condition, reason: ExitReason, restarts: Bool
    ) {
        policy.condition = condition
        #expect(die(reason) == (restarts ? .restart(after: .zero) : .stayDown))
    }

    @Test mutating func `the tenth death within a minute begins the cooling`() {
        for _ in 1..<10 {
            guard case .restart = die() else { return #expect(Bool(false), "cooled too early") }
            now = now + .seconds(6)
        }
        #expect(die() == .cool(for: .seconds(60)))
        #expect(history.isCooling)
    }

    @Test mutating func `ten deaths that take longer than the window do not cool`() {
        for _ in 1...30 {
            guard case .restart = die() else { return #expect(Bool(false), "cooled") }
            now = now + .milliseconds(6_700)
        }
        #expect(!history.isCooling)
    }

    @Test mutating func `while cooling each death leads to one slow try`() {
        for _ in 1...10 { _ = die() }
        for _ in 1...20 {
            now = now + .seconds(69)
            #expect(die(ranFor: .seconds(9)) == .cool(for: .seconds(60)))
        }
    }

    @Test mutating func `a run that lasts ends the cooling and the backoff`() {
        for _ in 1...10 { _ = die() }
        #expect(die(ranFor: .seconds(10)) == .restart(after: .zero))
        #expect(history.deaths.count == 1 && !history.isCooling)
    }

    @Test mutating func `a run that never served ends nothing, however long`() {
        _ = die()
        let decision = die(.notReady(deadline: .seconds(60)), ranFor: .seconds(60))
        #expect(decision != .restart(after: .zero))
        #expect(history.attempt == 2)
    }

    @Test mutating func `a death without a restart ends the series`() {
        _ = die()
        #expect(die(.clean) == .stayDown)
        #expect(history == RestartHistory())
    }

    @Test mutating func `a limit of zero never cools and memory stays bounded`() {
        policy.limit = 0
        policy.window = .seconds(100_000)
        for _ in 1...1_000 { _ = die() }
        #expect(!history.isCooling)
        #expect(history.deaths.count == RestartHistory.capacity)
    }

    @Test mutating func `the largest limit cools with as many deaths, and not before`() {
        policy.limit = RestartPolicy.largestLimit
        for _ in 1..<RestartPolicy.largestLimit { _ = die() }
        #expect(!history.isCooling)
        #expect(die() == .cool(for: policy.coolingDelay))
    }

    @Test mutating func `a clock that goes back is survived`() {
        _ = die()
        now = MonotonicTime(nanoseconds: 1)
        guard case .restart = die() else { return #expect(Bool(false), "no restart") }
    }

    @Test mutating func `a failure that no try can end is not tried again, and ends the series`() {
        _ = die()
        #expect(die(.spawnFailed(.tooLong)) == .giveUp)
        #expect(history == RestartHistory())
        policy.condition = .never
        #expect(die(.spawnFailed(.tooLong)) == .stayDown)
    }
}
