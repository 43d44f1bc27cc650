import Testing

@testable import PMModel

/// What a list of patterns lets a client call.
@Suite struct AllowListTests {
    private static let cases: [(patterns: [String], allowed: [String], refused: [String])] = [
        (["shop"], ["shop", "shop.get", "shop.a.b"], ["shopping.get", "sho.p", "Shop.get", "", "x.shop"]),
        (["shop.get"], ["shop.get", "shop.get.all"], ["shop", "shop.gets", "shop.set", "shop.g"]),
        (["*.health"], ["a.health", "b.health.deep", ".health"], ["health", "a.b.health", "a.healthy"]),
        (["db.get*", "status"], ["db.get", "db.getAll", "status"], ["db.set", "stat", "status2"]),
        (["*"], ["status", "shop.get", "$metadata", ""], []),
        (["a*b*c"], ["abc", "axxbyyc", "abbcc", "abcabc"], ["ab", "abcd", "xabc"]),
        (["**a"], ["a", "bca"], ["b"]),
    ]

    @Test func `names are compared part by part`() throws {
        for (patterns, allowed, refused) in Self.cases {
            let list = try #require(AllowList(patterns))
            for name in allowed { #expect(list.permits(name), "\(patterns) \(name)") }
            for name in refused { #expect(!list.permits(name), "\(patterns) \(name)") }
        }
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
