import PMModel
import PMSupervisor
import Testing

/// A liveness check with a clock of its own.
private struct Check {
    var machine: LivenessMachine
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    /// The timer as the performer would have it.
    var timer: (at: MonotonicTime, token: UInt64)?

    init(_ policy: LivenessPolicy, startedAgo: Duration = .zero) {
        machine = LivenessMachine(policy)
        let started = MonotonicTime(nanoseconds: now.nanoseconds - UInt64(startedAgo.nanoseconds))
        send(.began(startedAt: started))
    }

    @discardableResult
    mutating func send(_ event: LivenessEvent) -> [LivenessAction] {
        let actions = machine.handle(event, at: now)
        for case .armTimer(let time, let token) in actions { timer = (time, token) }
        // What is about the timer is checked by when it fires.
        return actions.filter { if case .armTimer = $0 { false } else { true } }
    }

    /// Goes on to the moment of the timer and fires it.
    @discardableResult
    mutating func fire() throws -> [LivenessAction] {
        let armed = try #require(timer)
        timer = nil
        now = max(now, armed.at)
        return send(.timerFired(token: armed.token))
    }

    mutating func pass(_ time: Duration) { now = now + time }
}

extension LivenessPolicy {
    fileprivate static func http(_ change: (inout LivenessPolicy) -> Void = { _ in }) -> LivenessPolicy {
        var policy = LivenessPolicy(check: .http(url: "http://127.0.0.1:1/"))
        change(&policy)
        return policy
    }
}

@Suite struct `A liveness check` {
    @Test func `has no timer while nothing is suspected of a service that is asked on suspicion`() {
        var check = Check(LivenessPolicy())
        #expect(check.timer == nil)
        check.send(.suspected(since: check.now))
        check.send(.passed)
        // Its time is over, but it means nothing any more.
        let late = check.machine.handle(.timerFired(token: check.timer?.token ?? 0), at: check.now)
        #expect(late.isEmpty)
    }

    @Test func `asks once and waits for the answer, however long that takes`() throws {
        var check = Check(LivenessPolicy())
        let since = check.now
        check.pass(.seconds(5))
        #expect(check.send(.suspected(since: since)) == [.check])
        #expect(check.send(.suspected(since: check.now)).isEmpty)
        #expect(try check.fire() == [.unresponsive(since: since)])
        #expect(check.timer == nil && check.machine.isUnresponsive)
        #expect(check.machine.seen == "no answer to $ping in 5s")
        check.pass(.seconds(30))
        #expect(check.send(.passed) == [.responsive(after: .seconds(40))])
        #expect(!check.machine.isUnresponsive && check.machine.failures == 0)
    }

    @Test func `that may end the service counts each timeout of one question`() throws {
        var policy = LivenessPolicy(check: .rpc)
        policy.action = .stop
        var check = Check(policy)
        let since = check.now
        check.send(.suspected(since: since))
        #expect(try check.fire().isEmpty)
        #expect(try check.fire().isEmpty)
        let seen = "no answer to $ping in 5s"
        #expect(try check.fire() == [.unresponsive(since: since), .end(.stop, seen: seen)])
        #expect(check.now - since == .seconds(15) && check.timer == nil)
    }

    @Test func `is made each interval, and three failures in a row count`() throws {
        var check = Check(.http())
        let begun = check.now
        #expect(try check.fire() == [.check])
        #expect(check.now - begun == .seconds(10))
        check.send(.passed)
        for number in 1...2 {
            #expect(try check.fire() == [.check])
            #expect(check.send(.failed("GET / answered 500")).isEmpty)
            #expect(check.machine.failures == number)
        }
        try check.fire()
        check.send(.passed)
        #expect(check.machine.failures == 0)
        var first = check.now
        for number in 1...3 {
            try check.fire()
            if number == 1 { first = check.now }
            let actions = check.send(.failed("GET / answered \(500 + number)"))
            #expect(
                actions
                    == (number < 3 ? [] : [.unresponsive(since: first), .end(.restart, seen: "GET / answered 503")]))
        }
        // It is told once, and checked on.
        try check.fire()
        #expect(check.send(.failed("x")).isEmpty)
        try check.fire()
        #expect(check.send(.passed) == [.responsive(after: check.now - first)])
    }

    @Test func `ends one that takes too long, and goes on at its pace`() throws {
        var check = Check(.http { $0.retries = 1 })
        try check.fire()
        let begun = check.now
        let seen = "no answer to GET in 5s"
        #expect(try check.fire() == [.endCheck, .unresponsive(since: begun), .end(.restart, seen: seen)])
        #expect(check.send(.passed).isEmpty)
        try check.fire()
        #expect(check.now - begun == .seconds(10))
    }

    @Test func `does not count failures in the start period, until one has passed`() throws {
        func policy(_ policy: inout LivenessPolicy) {
            policy.retries = 1
            policy.startPeriod = .seconds(60)
        }
        var check = Check(.http(policy), startedAgo: .seconds(20))
        try check.fire()
        #expect(check.send(.failed("x")).isEmpty && check.machine.failures == 0)
        try check.fire()
        check.send(.passed)
        try check.fire()
        #expect(check.send(.failed("x")).count == 2)
        var other = Check(.http(policy), startedAgo: .seconds(55))
        try other.fire()
        #expect(other.send(.failed("x")).count == 2)
    }

    @Test func `for output looks only when the time without any may be over`() throws {
        var policy = LivenessPolicy(check: .output(within: .seconds(30)))
        policy.action = .report
        var check = Check(policy)
        check.pass(.seconds(20))
        let written = check.now
        #expect(try check.fire() == [.check])
        #expect(check.send(.wrote(written)).isEmpty)
        #expect(try check.fire() == [.check])
        #expect(check.now - written == .seconds(30))
        #expect(check.send(.wrote(written)) == [.unresponsive(since: written)])
        #expect(check.machine.seen == "no output for 30s")
        try check.fire()
        #expect(check.send(.wrote(check.now)) == [.responsive(after: .seconds(60))])
    }

    @Test func `of any kind takes events in any order`() {
        var random = SystemRandomNumberGenerator()
        let checks: [LivenessCheck] = [
            .none, .rpc, .tcp(host: "::1", port: 1), .exec(["x"]), .output(within: .seconds(3)),
        ]
        for _ in 0..<2_000 {
            var policy = LivenessPolicy(check: checks.randomElement(using: &random) ?? .rpc)
            policy.action = LivenessResponse.allCases.randomElement(using: &random) ?? .stop
            policy.retries = Int.random(in: 1...3, using: &random)
            if policy.check == .rpc, Bool.random(using: &random) { policy.interval = .seconds(1) }
            var check = Check(policy)
            var isTold = false
            for _ in 0..<40 {
                check.pass(.milliseconds(Int.random(in: 0...4_000, using: &random)))
                let due = check.timer.map { $0.at <= check.now } ?? false
                let events: [LivenessEvent] = [
                    .suspected(since: check.now), .passed, .failed("x"), .wrote(check.now),
                    .timerFired(token: due ? check.timer?.token ?? 0 : 0),
                ]
                for action in check.send(events.randomElement(using: &random) ?? .passed) {
                    switch action {
                    case .unresponsive:
                        #expect(!isTold)
                        isTold = true
                    case .responsive:
                        #expect(isTold)
                        isTold = false
                    case .check, .endCheck, .armTimer, .end: break
                    }
                }
                #expect(check.machine.isUnresponsive == isTold)
            }
        }
    }
}

@Suite struct `A unit that fails its liveness check` {
    private let lost = ExitReason.unresponsive(seen: "no answer")

    @Test func `is ended by its signals at once, without its calls and its stop command, and restarted`() {
        var rig = Rig(.draining)
        rig.serve()
        rig.pass(.seconds(60))
        let actions = rig.child(.unresponsive(.restart, seen: "no answer"))
        #expect(actions.contains(.signalGroup(15)) && actions.contains(.becameUnready))
        #expect(!actions.contains(.drain) && !actions.contains(.callStopCommand))
        let ended = rig.exit(.killed)
        #expect(ended.contains(.death(1, lost, after: .seconds(60))))
        #expect(ended.contains(.spawn(incarnation: 2)) && rig.machine.restarts == 1)
    }

    @Test func `stays down when its check or its policy says so`() {
        let cases = [(UnitSettings.draining, LivenessResponse.stop), (.draining.with(.never), .restart)]
        for (settings, response) in cases {
            var rig = Rig(settings)
            rig.serve()
            rig.child(.unresponsive(response, seen: "no answer"))
            #expect(rig.exit(.killed).contains(.death(1, lost)))
            #expect(rig.machine.state == .down(.finished))
        }
    }

    @Test func `runs on when it is only reported, not ready, or debugged`() {
        var rig = Rig(.draining)
        rig.serve()
        #expect(rig.child(.unresponsive(.report, seen: "")).isEmpty)
        rig.machine.settings.isInspected = true
        #expect(rig.child(.unresponsive(.restart, seen: "")).isEmpty)
        var waiting = Rig(.draining)
        waiting.start()
        #expect(waiting.child(.unresponsive(.restart, seen: "")).isEmpty)
    }

    @Test func `is ended on by the next daemon, which knows the reason without its words`() {
        var rig = Rig(.draining)
        rig.serve()
        rig.child(.unresponsive(.restart, seen: "no answer"))
        var next = Rig(restoring: rig)
        next.send(.adopted(.running(pid: 100)))
        #expect(next.exit(.killed).contains(.death(1, .unresponsive(seen: ""))))
        #expect(next.machine.incarnation == 2)
    }
}
