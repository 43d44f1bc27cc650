import PMModel
import Testing

@testable import PMSupervisor

/// Which services an apply touches, how, and in which order.
@Suite struct ApplyPlanTests {
    private func service(
        _ name: String, _ presence: ApplyPlan.Presence = .configured(instances: 1), running: Int = 1,
        changes: [SettingChange] = []
    ) -> ApplyPlan.Service {
        var service = ApplyPlan.Service(name, presence)
        (service.running, service.changes, service.serves) = (running, changes, running > 0)
        return service
    }

    private func words(_ plan: ApplyPlan) -> [[String]] {
        plan.levels.map { $0.map { "\($0.name) \($0.action.rawValue)" } }
    }

    @Test func `each service gets the least that its changes ask for, and others nothing`() throws {
        let restart = SettingChange(.env, .restart)
        let plan = try ApplyPlan(
            [
                service("same"), service("down", running: 0, changes: [restart]),
                service("live", changes: [SettingChange(.restart, .live)]),
                service("env", changes: [restart, SettingChange(.live, .live)]),
                service("many", .configured(instances: 3), running: 3, changes: [restart]),
                service("fewer", .configured(instances: 1), running: 3), service("new", .automatic, running: 0),
                service("gone", .none), service("ended", .none, running: 0),
            ], needs: { _ in [] })
        #expect(
            words(plan) == [["gone stop"], ["env restart", "fewer live", "live live", "many reload", "new start"]])
        #expect(plan.steps.first { $0.name == "env" }?.settings == [.env, .live])
        #expect(plan.steps.first { $0.name == "fewer" }?.settings == [.instances])
    }

    @Test func `a service comes after those that it needs, also through others that are not touched`() throws {
        let restart = [SettingChange(.env, .restart)]
        let needs = ["api": ["cache"], "cache": ["db"], "db": [], "web": ["api"]]
        var (db, api) = (service("db", changes: restart), service("api", changes: restart))
        (db.startTime, api.startTime) = (.seconds(2), .seconds(1))
        let plan = try ApplyPlan([service("web", changes: restart), api, db]) { needs[$0] }
        #expect(words(plan) == [["db restart"], ["api restart"], ["web restart"]])
        #expect(plan.estimate == .seconds(3))
        #expect(plan.obstacle(to: "web", among: ["db"]) == "db")
        #expect(plan.obstacle(to: "db", among: ["web"]) == nil)
    }

    @Test func `a circle is an error, and nothing to do is an empty plan`() throws {
        #expect(try ApplyPlan([service("web")], needs: { _ in [] }).levels.isEmpty)
        #expect(throws: StartOrderError.self) {
            try ApplyPlan([service("a", changes: [SettingChange(.env, .restart)])]) { $0 == "a" ? ["b"] : ["a"] }
        }
    }
}
