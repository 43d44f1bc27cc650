import PMModel
import PMSupervisor
import Testing

struct StartPlanTests {
    private static let all = [
        "api": ["users", "cache"], "users": ["cache"], "cache": [], "mail": [], "web": ["api", "mail"],
    ]

    private func plan(
        _ targets: [String], goal: StartPlan.Goal = .ready, ready: Set<String> = []
    ) throws -> StartPlan {
        let order = try StartOrder(starting: targets) { Self.all[$0] }
        return StartPlan(targets: targets, order: order, goal: goal) { ready.contains($0) }
    }

    private func died(_ reason: ExitReason, _ then: RestartDecision) -> StartOutcome {
        .failed(.died(reason, then: then))
    }

    private func failure(_ unit: String, _ reason: ExitReason, _ then: RestartDecision) -> StartPlanFailure {
        StartPlanFailure(unit: unit, reason: .failed(.died(reason, then: then)))
    }

    @Test func `each unit is started when all that it needs is ready`() throws {
        var plan = try plan(["web"])
        #expect(plan.start() == [.start("cache"), .start("mail")])
        #expect(plan.record(.spawned, of: "cache") == [])
        #expect(plan.record(.ready, of: "cache") == [.start("users")])
        #expect(plan.record(.ready, of: "users") == [.start("api")])
        #expect(plan.record(.ready, of: "api") == [])
        #expect(plan.record(.ready, of: "mail") == [.start("web")])
        #expect(!plan.isDone)
        #expect(plan.record(.ready, of: "web") == [.reached("web")])
        #expect(plan.isDone)
    }

    @Test func `what is ready is not waited for`() throws {
        var plan = try plan(["api"], ready: ["users", "cache"])
        #expect(plan.start() == [.start("api")])
    }

    @Test func `what a ready unit needs is started beside those that wait for it`() throws {
        var plan = try plan(["api"], ready: ["users"])
        #expect(plan.start() == [.start("cache")])
        #expect(plan.record(.ready, of: "cache") == [.start("api")])
    }

    @Test func `a target that is ready is there`() throws {
        var plan = try plan(["api"], ready: ["api", "users", "cache"])
        #expect(plan.start() == [.reached("api")])
        #expect(plan.isDone)
    }

    @Test func `a start that does not wait is answered by the spawn`() throws {
        var plan = try plan(["users"], goal: .spawned)
        #expect(plan.start() == [.start("cache")])
        #expect(plan.record(.spawned, of: "cache") == [])
        #expect(plan.record(.ready, of: "cache") == [.start("users")])
        #expect(plan.record(.spawned, of: "users") == [.reached("users")])
        #expect(plan.isDone)
    }

    @Test func `a dependency that is restarted keeps its dependents waiting`() throws {
        var plan = try plan(["users"])
        _ = plan.start()
        for _ in 1...9 { #expect(plan.record(died(.crash, .restart(after: .seconds(1))), of: "cache") == []) }
        #expect(plan.record(.ready, of: "cache") == [.start("users")])
    }

    @Test func `too many deaths of a dependency fail its dependents`() throws {
        var plan = try plan(["users"])
        plan.deathsLimit = 3
        _ = plan.start()
        let restart = RestartDecision.restart(after: .seconds(1))
        #expect(plan.record(died(.crash, restart), of: "cache") == [])
        #expect(plan.record(died(.crash, restart), of: "cache") == [])
        #expect(
            plan.record(died(.crash, restart), of: "cache") == [.failed("users", failure("cache", .crash, restart))])
        #expect(plan.isDone)
    }

    @Test(arguments: [
        (ExitReason.crash, RestartDecision.stayDown), (.spawnFailed(.tooLong), .giveUp),
        (.crash, .cool(for: .seconds(60))),
        (.notReady(deadline: .seconds(60)), .restart(after: .zero)),
    ])
    func `a dependency that failed for good fails its dependents at once`(
        reason: ExitReason, then: RestartDecision
    ) throws {
        var plan = try plan(["web"])
        _ = plan.start()
        #expect(plan.record(died(reason, then), of: "cache") == [.failed("web", failure("cache", reason, then))])
        #expect(plan.isDone)
        #expect(plan.record(.ready, of: "mail") == [])
    }

    @Test func `a dependency that cannot be started fails its dependents`() throws {
        var plan = try plan(["users"])
        _ = plan.start()
        let blocked = StartFailure.blocked(survivors: 2)
        #expect(
            plan.record(.failed(blocked), of: "cache") == [
                .failed("users", StartPlanFailure(unit: "cache", reason: .failed(blocked)))
            ])
    }

    @Test func `a target fails at its first death although it is restarted`() throws {
        var plan = try plan(["cache"])
        _ = plan.start()
        let then = RestartDecision.restart(after: .zero)
        #expect(plan.record(died(.crash, then), of: "cache") == [.failed("cache", failure("cache", .crash, then))])
        #expect(plan.record(.ready, of: "cache") == [])
    }

    @Test func `others go on when one fails`() throws {
        var plan = try plan(["users", "mail"])
        #expect(plan.start() == [.start("cache"), .start("mail")])
        let failed = failure("cache", .crash, .stayDown)
        #expect(plan.record(died(.crash, .stayDown), of: "cache") == [.failed("users", failed)])
        #expect(!plan.isDone)
        #expect(plan.record(.ready, of: "mail") == [.reached("mail")])
        #expect(plan.isDone)
    }

    @Test func `a dependency that was ready and is not any more is waited for again`() throws {
        var plan = try plan(["web"])
        _ = plan.start()
        _ = plan.record(.ready, of: "cache")
        _ = plan.record(.ready, of: "users")
        #expect(plan.record(.ready, of: "api") == [])
        plan.becameUnready("api")
        #expect(plan.record(died(.crash, .restart(after: .zero)), of: "api") == [])
        #expect(plan.record(.ready, of: "mail") == [])
        #expect(plan.record(.ready, of: "api") == [.start("web")])
    }

    @Test func `a stop of what is to be started, or of what it needs, ends the plan`() throws {
        for stopped in ["web", "api", "cache"] {
            var plan = try plan(["web"])
            _ = plan.start()
            #expect(
                plan.record(.superseded, of: stopped) == [
                    .failed("web", StartPlanFailure(unit: stopped, reason: .stopped))
                ])
            #expect(plan.record(.ready, of: "mail") == [])
            if stopped != "cache" { #expect(!plan.record(.ready, of: "cache").contains(.start("api"))) }
        }
    }

    @Test func `a unit that someone else started counts when it is ready`() throws {
        var plan = try plan(["users"])
        _ = plan.start()
        #expect(plan.record(died(.crash, .stayDown), of: "users") == [])
        #expect(plan.record(.ready, of: "users") == [.reached("users")])
    }

    @Test func `a restart renews what is ready, and what becomes ready before it`() throws {
        var ready = try plan(["api"], ready: ["api", "users", "cache"])
        ready.renewsTargets = true
        #expect(ready.start() == [.start("api")])
        ready.becameUnready("api")
        #expect(ready.record(.spawned, of: "api") == [])
        #expect(ready.record(.ready, of: "api") == [.reached("api")])
        var early = try plan(["users"], goal: .spawned)
        early.renewsTargets = true
        #expect(early.start() == [.start("cache")])
        #expect(early.record(.spawned, of: "users") == [] && early.record(.ready, of: "users") == [])
        #expect(early.record(.ready, of: "cache") == [.start("users")])
        #expect(early.record(.spawned, of: "users") == [.reached("users")])
    }

    @Test func `what needs a unit that is renewed waits for it`() throws {
        var plan = try plan(["cache", "users"], ready: ["cache"])
        plan.renewsTargets = true
        #expect(plan.start() == [.start("cache")])
        #expect(plan.record(.ready, of: "cache") == [.reached("cache"), .start("users")])
    }

    @Test func `a plan that is cancelled answers everyone and starts nothing`() throws {
        var plan = try plan(["web", "users"])
        _ = plan.start()
        let failures = ["users", "web"].map { name in
            StartPlanAction.failed(name, StartPlanFailure(unit: name, reason: .stopped))
        }
        #expect(plan.cancel() == failures)
        #expect(plan.isDone && plan.record(.ready, of: "cache") == [])
    }
}
