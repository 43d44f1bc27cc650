import PMSupervisor
import Testing

struct StopPlanTests {
    private static let all = ["api": ["users", "cache"], "users": ["cache"], "cache": [], "mail": []]

    private func plan(_ names: [String]) throws -> StopPlan {
        StopPlan(stopping: names, order: try StartOrder(Self.all))
    }

    @Test func `what needs others is stopped first, and the others when it is gone`() throws {
        var plan = try plan(["api", "users", "cache", "mail"])
        #expect(plan.start() == [.stop("api"), .stop("mail")])
        #expect(plan.ended("api", survivors: 0) == [.stop("users")])
        #expect(plan.ended("users", survivors: 0) == [.stop("cache")])
        #expect(plan.ended("mail", survivors: 0) == [])
        #expect(plan.ended("cache", survivors: 0) == [.done(survivors: [])])
        #expect(plan.isDone)
    }

    @Test func `a unit that is to be started again is stopped at once, and once`() throws {
        var plan = try plan(["api", "users", "cache"])
        #expect(plan.start() == [.stop("api")])
        #expect(plan.hasten("cache") == [.stop("cache")])
        #expect(plan.hasten("cache") == [] && plan.hasten("api") == [] && plan.hasten("mail") == [])
        #expect(plan.ended("cache", survivors: 0) == [])
        #expect(plan.ended("api", survivors: 0) == [.stop("users")])
        #expect(plan.ended("users", survivors: 0) == [.done(survivors: [])])
    }

    @Test func `one unit alone is stopped alone`() throws {
        var plan = try plan(["users"])
        #expect(plan.start() == [.stop("users")])
        #expect(plan.ended("users", survivors: 0) == [.done(survivors: [])])
    }

    @Test func `the order holds through units that are left alone`() throws {
        let order = try StartOrder(["a": ["b"], "b": ["c"], "c": []])
        var plan = StopPlan(stopping: ["a", "c"], order: order)
        #expect(plan.start() == [.stop("a")])
        #expect(plan.ended("a", survivors: 0) == [.stop("c")])
    }

    @Test func `survivors are named and do not hold up the rest`() throws {
        var plan = try plan(["users", "cache"])
        #expect(plan.start() == [.stop("users")])
        #expect(plan.ended("users", survivors: 2) == [.stop("cache")])
        #expect(
            plan.ended("cache", survivors: 1)
                == [.done(survivors: [.init(unit: "cache", count: 1), .init(unit: "users", count: 2)])])
    }

    @Test func `an end that was not asked for yet, or comes twice, does not count`() throws {
        var plan = try plan(["api", "users"])
        #expect(plan.start() == [.stop("api")])
        #expect(plan.ended("users", survivors: 0) == [])
        #expect(plan.ended("api", survivors: 0) == [.stop("users")])
        #expect(plan.ended("api", survivors: 0) == [])
        #expect(plan.ended("nobody", survivors: 0) == [])
        #expect(!plan.isDone)
    }

    @Test func `nothing to stop is done at once`() throws {
        var plan = try plan(["nobody"])
        #expect(plan.start() == [.done(survivors: [])])
    }
}
