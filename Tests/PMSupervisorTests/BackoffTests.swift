import PMModel
import PMSupervisor
import Testing

struct BackoffTests {
    private let backoff = Backoff(policy: RestartPolicy())

    @Test func `the first restart is immediate`() {
        var jitter = JitterSource(seed: 1)
        #expect(backoff.pause(attempt: 0, using: &jitter) == .zero)
    }

    @Test func `each pause is drawn from the upper half of a doubling range`() {
        for seed in UInt64(0)..<200 {
            var jitter = JitterSource(seed: seed)
            for attempt in UInt16(1)...8 {
                let upper = Duration.milliseconds(100 << Int(attempt))
                let pause = backoff.pause(attempt: attempt, using: &jitter)
                #expect(pause >= upper / 2 && pause <= upper)
            }
        }
    }

    @Test func `no pause is outside of its bounds`() {
        var jitter = JitterSource(seed: 7)
        for attempt in UInt16(1)...UInt16.max {
            let pause = backoff.pause(attempt: attempt, using: &jitter)
            guard pause >= .milliseconds(100), pause <= .seconds(30) else {
                Issue.record("attempt \(attempt): \(pause)")
                return
            }
        }
    }

    @Test func `late pauses spread over half of the longest one`() {
        var jitter = JitterSource(seed: 3)
        let pauses = (0..<1000).map { _ in backoff.pause(attempt: 20, using: &jitter) }
        #expect(pauses.allSatisfy { $0 >= .seconds(15) && $0 <= .seconds(30) })
        #expect((pauses.min() ?? .zero) < .seconds(16) && (pauses.max() ?? .zero) > .seconds(29))
    }

    @Test(arguments: [
        (Duration.zero, Duration.zero, Duration.zero),
        (.zero, .seconds(30), .zero),
        (.seconds(60), .seconds(30), .seconds(30)),
        (.seconds(-1), .seconds(30), .zero),
        (.milliseconds(5), .seconds(-1), .zero),
    ])
    func `senseless bounds give a harmless pause`(delay: Duration, maxDelay: Duration, expected: Duration) {
        var policy = RestartPolicy()
        policy.delay = delay
        policy.maxDelay = maxDelay
        var jitter = JitterSource(seed: 1)
        #expect(Backoff(policy: policy).pause(attempt: 3, using: &jitter) == expected)
    }

    @Test func `equal seeds give equal jitter and others do not`() {
        var first = JitterSource(seed: 5)
        var same = JitterSource(seed: 5)
        var other = JitterSource(seed: 6)
        let pauses = (1...10).map { backoff.pause(attempt: $0, using: &first) }
        #expect(pauses == (1...10).map { backoff.pause(attempt: $0, using: &same) })
        #expect(pauses != (1...10).map { backoff.pause(attempt: $0, using: &other) })
    }
}
