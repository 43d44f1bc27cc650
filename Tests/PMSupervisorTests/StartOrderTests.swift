import PMSupervisor
import Testing

struct StartOrderTests {
    @Test func `each level needs only the ones before it`() throws {
        let order = try StartOrder(["api": ["users", "cache"], "users": ["cache"], "cache": [], "cron": []])
        #expect(order.levels == [["cache", "cron"], ["users"], ["api"]])
        #expect(order.stopLevels == [["api"], ["users"], ["cache", "cron"]])
        #expect(order.names == ["cache", "cron", "users", "api"])
    }

    @Test func `starting one unit brings what it needs and nothing else`() throws {
        let all = ["api": ["users"], "users": ["cache"], "cache": [], "cron": ["cache"]]
        let order = try StartOrder(starting: ["users"]) { all[$0] }
        #expect(order.levels == [["cache"], ["users"]])
        #expect(!order.contains("cron"))
        #expect(order.dependents(of: "cache") == ["users"])
        #expect(order.dependencies(of: "users") == ["cache"])
        #expect(order.dependencies(of: "cron") == [])
    }

    @Test func `pm-init stops dependents before what they need`() throws {
        let order = try StartOrder(["a": ["b", "c"], "b": ["c"], "c": []])
        #expect(order.stopOrder(of: "a") > order.stopOrder(of: "b"))
        #expect(order.stopOrder(of: "b") > order.stopOrder(of: "c"))
        #expect(order.stopOrder(of: "nobody") == 0)
    }

    @Test func `a repeated dependency counts once`() throws {
        let order = try StartOrder(starting: ["a", "a"]) { ["a": ["b", "b"], "b": []][$0] }
        #expect(order.dependencies(of: "a") == ["b"])
        #expect(order.levels == [["b"], ["a"]])
    }

    @Test func `nothing has an empty order`() throws {
        let order = try StartOrder([:])
        #expect(order.levels == [] && order.count == 0)
    }

    @Test func `a cycle is named as it runs`() {
        #expect(message(["A": ["B"], "B": ["C"], "C": ["A"]]) == "Circular dependency detected: A -> B -> C -> A")
        #expect(message(["a": ["x"], "x": ["y"], "y": ["x"]]) == "Circular dependency detected: x -> y -> x")
        #expect(message(["A": ["A"]]) == "Circular dependency detected: A -> A")
    }

    @Test func `only the units of the cycle are named, from the same place whoever asks`() {
        let all = ["top": ["web", "C"], "web": ["C"], "A": ["leaf", "B"], "B": ["C"], "C": ["A"], "leaf": []]
        for name in ["top", "web", "A", "B", "C"] {
            #expect(message(all, starting: [name]) == "Circular dependency detected: A -> B -> C -> A")
        }
        #expect(message(all, starting: ["leaf"]) == nil)
    }

    @Test func `every missing dependency is named with its dependent`() {
        let all = ["api": ["users", "cache", "mail"], "users": ["cache"], "mail": []]
        #expect(
            message(all, starting: ["api", "nobody"])
                == "nobody does not exist; api depends on cache, which does not exist; "
                + "users depends on cache, which does not exist")
        #expect(message(["a": ["x", "y"]]) == "a depends on x, y, which do not exist")
    }

    @Test func `a chain and a fan of ten thousand units are ordered`() throws {
        let chain = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("u\($0)", $0 == 0 ? [] : ["u\($0 - 1)"]) })
        let order = try StartOrder(chain)
        #expect(order.levels.count == 10_000 && order.stopOrder(of: "u9999") == 9_999)
        var closed = chain
        closed["u0"] = ["u9999"]
        #expect(throws: StartOrderError.self) { try StartOrder(closed) }
        var fan = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("u\($0)", ["base"]) })
        fan["base"] = []
        #expect(try StartOrder(fan).levels.map(\.count) == [1, 10_000])
    }

    private func message(_ all: [String: [String]], starting names: [String]? = nil) -> String? {
        do {
            _ = try StartOrder(starting: names ?? all.keys.sorted()) { all[$0] }
            return nil
        } catch {
            return error.description
        }
    }
}
