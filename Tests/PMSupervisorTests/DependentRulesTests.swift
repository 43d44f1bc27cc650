import PMModel
import Testing

@testable import PMSupervisor

/// What happens to units when one that they need goes down, decided without processes.
@Suite struct DependentRulesTests {
    private func rules(_ units: [String: [Dependency]]) -> DependentRules {
        var rules = DependentRules()
        for (name, dependencies) in units { rules.set(name, needs: dependencies.map(\.name), dependencies) }
        return rules
    }

    private func wait(_ unit: String, _ service: String, _ onStop: Dependency.OnStop) -> DependentRules.Wait {
        DependentRules.Wait(unit: unit, dependency: Dependency(service, onStop: onStop))
    }

    @Test func `a service that goes down concerns the units with a rule for it, if they run`() {
        let rules = rules([
            "stops": [Dependency("db", onStop: .stop)], "restarts": [Dependency("db", onStop: .restart)],
            "keeps": [Dependency("db")], "rests": [Dependency("db", onStop: .stop)],
            "other": [Dependency("cache", onStop: .stop)],
        ])
        #expect(
            rules.wentDown("db") { $0 != "rests" } == [wait("restarts", "db", .restart), wait("stops", "db", .stop)])
        #expect(rules.wentDown("web") { _ in true } == [])
        #expect(rules.services == ["cache", "db"])
    }

    @Test func `a unit that is forgotten, or has other dependencies now, is not concerned`() {
        var rules = rules(["web": [Dependency("db", onStop: .stop)], "api": [Dependency("db", onStop: .restart)]])
        rules.remove("web")
        rules.set("api", needs: ["cache"], [Dependency("cache", onStop: .restart)])
        #expect(rules.wentDown("db") { _ in true } == [])
        rules.set("api", needs: ["db"], [Dependency("db")])
        #expect(rules == DependentRules())
    }

    @Test func `a stop stops those first that do not run without the unit, directly or not`() {
        let rules = rules([
            "api": [Dependency("db", onStop: .stop)], "api#2": [Dependency("db", onStop: .stop)],
            "web": [Dependency("api", onStop: .stop)], "mail": [Dependency("web", onStop: .restart)],
        ])
        let ready = ["db": ["db"], "api": ["api", "api#2"], "web": ["web"]]
        let found = rules.stopped(before: ["db"], ready: { ready[$0] ?? [] }, runs: { _ in true })
        #expect(found == [wait("api", "db", .stop), wait("api#2", "db", .stop), wait("web", "api", .stop)])
        #expect(rules.stopped(before: ["api"], ready: { ready[$0] ?? [] }, runs: { _ in true }) == [])
        #expect(rules.stopped(before: ["db", "api"], ready: { ready[$0] ?? [] }, runs: { $0 == "web" }) == [])
    }

    @Test func `a service of which an instance stays ready is not down`() {
        let rules = rules(["api": [Dependency("db", onStop: .stop)], "one": [Dependency("db#2", onStop: .stop)]])
        let ready = ["db": ["db", "db#2"], "db#2": ["db#2"]]
        #expect(rules.stopped(before: ["db"], ready: { ready[$0] ?? [] }, runs: { _ in true }) == [])
        #expect(
            rules.stopped(before: ["db#2"], ready: { ready[$0] ?? [] }, runs: { _ in true })
                == [wait("one", "db#2", .stop)])
        let both = rules.stopped(before: ["db", "db#2"], ready: { ready[$0] ?? [] }, runs: { _ in true })
        #expect(both == [wait("api", "db", .stop), wait("one", "db#2", .stop)])
    }

    @Test func `units that need each other end the search`() {
        let rules = rules(["a": [Dependency("b", onStop: .stop)], "b": [Dependency("a", onStop: .stop)]])
        #expect(rules.stopped(before: ["a"], ready: { [$0] }, runs: { _ in true }) == [wait("b", "a", .stop)])
    }

    @Test func `of units that go on together, one that needs another waits for it`() {
        let rules = rules([
            "api": [Dependency("db", onStop: .restart)],
            "web": [Dependency("db", onStop: .restart), Dependency("api", onStop: .restart)],
        ])
        #expect(rules.predecessor(of: "web", among: ["api", "web"]) == "api")
        #expect(rules.predecessor(of: "api", among: ["api", "web"]) == nil)
        #expect(rules.predecessor(of: "web", among: ["web"]) == nil)
    }
}
