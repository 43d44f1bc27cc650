import Testing

@testable import PMModel

/// What a list of patterns lets a client call.
@Suite struct AllowListTests {
    private static let cases: [(patterns: [String], allowed: [[String]], refused: [[String]])] = [
        (["shop"], [["shop", "get"], ["shop", "a.b"]], [["shop.admin", "get"], ["Shop", "get"]]),
        (["shop.get"], [["shop", "get"], ["shop", "get.all"]], [["shop", "gets"], ["shop.g", "et"]]),
        (["*.health"], [["a", "health"], ["b", "health.deep"]], [["x.health", "drop"], ["a.b", "health"]]),
        (["svc.admin"], [["svc.admin", "drop"]], [["svc.admin.x", "drop"], ["svc", "drop"]]),
        (["*"], [["shop", "get"], ["shop.admin", "get"]], []),
        (["a*b*c"], [["abbcc", "x"], ["abc", "x"]], [["abcd", "x"], ["xabc", "x"]]),
    ]

    @Test func `a pattern is compared with a service and a command, not with their joined names`() throws {
        for (patterns, allowed, refused) in Self.cases {
            let list = try #require(AllowList(patterns))
            for pair in allowed { #expect(list.permits(pair[1], of: pair[0]), "\(patterns) \(pair)") }
            for pair in refused { #expect(!list.permits(pair[1], of: pair[0]), "\(patterns) \(pair)") }
        }
    }

    @Test func `a service with dots is not part of another one`() throws {
        let list = try #require(AllowList(["svc", "stat*"]))
        #expect(list.permitsAll(of: "svc") && !list.permitsAll(of: "svc.admin") && !list.concerns(service: "svc.admin"))
        #expect(list.permits("status") && !list.permits("list") && list.permitsJoined("svc.get"))
        #expect(!list.permitsJoined("other.get"))
    }

    @Test func `a service is concerned when one of its commands may be`() throws {
        let list = try #require(AllowList(["shop", "db.get", "*.health", "stat*"]))
        for service in ["shop", "db", "anything", "stats"] { #expect(list.concerns(service: service), "\(service)") }
        let narrow = try #require(AllowList(["shop", "db.get"]))
        for service in ["other", "d", "shops", "x.db"] { #expect(!narrow.concerns(service: service), "\(service)") }
        #expect(try #require(AllowList(["a.b.get"])).concerns(service: "a.b"))
    }

    @Test func `what is no list of patterns is refused`() {
        let long = String(repeating: "a", count: AllowList.longestPattern)
        for patterns in [[], [""], ["a."], [".a"], ["a..b"], ["a b"], ["a\nb"], ["a\u{7F}"], [long + "a"]] {
            #expect(AllowList(patterns) == nil, "\(patterns)")
        }
        #expect(AllowList([long]) != nil)
        #expect(AllowList([String](repeating: "a", count: AllowList.mostPatterns)) != nil)
        #expect(AllowList([String](repeating: "a", count: AllowList.mostPatterns + 1)) == nil)
    }

    @Test(.timeLimit(.minutes(1))) func `a pattern of many stars takes no longer than the product of the lengths`()
        throws
    {
        let pattern = String(repeating: "*a", count: AllowList.longestPattern / 2)
        let list = try #require(AllowList([pattern]))
        #expect(!list.permits(String(repeating: "a", count: 100_000) + "b"))
    }
}
