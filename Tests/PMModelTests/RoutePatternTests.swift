import PMModel
import Testing

/// Which requests a route is for, and whether two routes are for the same one.
@Suite struct RoutePatternTests {
    private static func pattern(_ entry: String) throws -> RoutePattern { try #require(RoutePattern(entry: entry)) }

    @Test(arguments: [
        ("/login", "/login", true), ("/login", "/logout", false), ("/users/{id}", "/users/me", true),
        ("/users/{id}", "/{a}/7", true), ("/users/{id}", "/users", false), ("/users/{id}", "/users/7/8", false),
        ("/{a}/b", "/b/{a}", true), ("/{a}/b/c", "/x/{b}/d", false), ("/users/*", "/users/7/8", true),
        ("/users/*", "/users", false), ("/users/*", "/{a}/7", true), ("/users/*", "/user/*", false),
        ("/*", "/a/*", true),
        ("/*", "/", false), ("/", "/", true), ("/a/*", "/a/b/*", true), ("/a/{b}/*", "/a/b", false),
        ("GET /login", "POST /login", false), ("GET /login", "/login", true), ("GET /a/{b}", "GET /a/c", true),
    ])
    func `overlap in both directions`(one: String, other: String, expected: Bool) throws {
        let (one, other) = (try Self.pattern(one), try Self.pattern(other))
        #expect(one.overlaps(other) == expected && other.overlaps(one) == expected)
        #expect(one.overlaps(one) && other.overlaps(other))
    }

    @Test func `overlap exactly when a request matches both`() throws {
        let texts = ["a", "b", "{x}"]
        var patterns = texts.flatMap { one in texts.map { "/\(one)/\($0)" } } + texts.map { "/\($0)" } + ["/"]
        patterns += (texts.map { "/\($0)/*" } + ["/*"])
        let paths =
            [[]] + ["a", "b", "c"].map { [$0] }
            + ["a", "b", "c"].flatMap { one in ["a", "b", "c"].map { [one, $0] } }
            + [["a", "b", "c"], ["b", "b", "b"], ["c", "a", "a"]]
        for one in try patterns.map(Self.pattern) {
            for other in try patterns.map(Self.pattern) {
                let both = paths.contains { one.match($0) != nil && other.match($0) != nil }
                #expect(one.overlaps(other) == both, "\(one.text) \(other.text)")
                let isCovered = paths.allSatisfy { other.match($0) == nil || one.match($0) != nil }
                if one.covers(other) { #expect(isCovered, "\(one.text) \(other.text)") }
            }
        }
    }

    @Test(arguments: [
        "login", "", "get /a", "GET  /a", "GET /a b", "/a*", "/*/a", "GET", "/a/**",
        "/" + String(repeating: "a", count: 1024), String(repeating: "/a", count: 33),
    ])
    func `other entries are none`(entry: String) {
        #expect(RoutePattern(entry: entry) == nil)
    }

    @Test func `are written as they were read`() throws {
        for text in ["/", "/login", "POST /users/{id}", "/files/*", "/*"] {
            #expect(try Self.pattern(text).text == text)
        }
        #expect(RoutePattern(method: "use", route: "users/{id}/")?.text == "/users/{id}")
        #expect(RoutePattern(method: "get", route: "/a/*")?.isPrefix == false)
    }
}
