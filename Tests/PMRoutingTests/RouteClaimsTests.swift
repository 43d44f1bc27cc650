import PMModel
import PMRouting
import Testing

/// Whose a route is.
@Suite struct RouteClaimsTests {
    private static func request(_ text: String) throws -> RouteClaims.Request {
        let words = text.split(separator: " ").map(String.init)
        let route = try #require(RoutePattern(method: words[1], route: words[2]))
        return RouteClaims.Request(words[0], route)
    }

    /// Notes what services want, `command method path` each.
    private static func claims(
        _ order: [(String, [String]?)], _ requests: [(String, [String])], confined: Set<String> = []
    ) throws -> RouteClaims {
        var claims = RouteClaims()
        claims.order = try order.map { unit, routes in
            RouteClaims.Entry(unit, try routes?.map { try #require(RoutePattern(entry: $0)) })
        }
        for (unit, texts) in requests {
            _ = claims.note(
                RouteClaims.Requests(try texts.map(request), isConfined: confined.contains(unit)), of: unit)
        }
        return claims
    }

    private static func owners(_ claims: RouteClaims) -> [String] {
        claims.decide().grants.filter { $0.command != nil }.map { "\($0.unit) \($0.pattern.text)" }.sorted()
    }

    @Test func `the first of the configuration has it, whoever starts first and whatever its name`() throws {
        let login = ["login post /login", "page get /page"]
        let thief = ["grab post /login", "own get /own"]
        for requests in [[("zlogin", login), ("ahost", thief)], [("ahost", thief), ("zlogin", login)]] {
            let claims = try Self.claims([("zlogin", nil), ("ahost", nil)], requests)
            #expect(Self.owners(claims) == ["ahost GET /own", "zlogin GET /page", "zlogin POST /login"])
            let grants = claims.decide()
            #expect(grants.problems(of: "zlogin") == [])
            #expect(
                grants.problems(of: "ahost")
                    == ["POST /login of grab is not served: it overlaps POST /login, which belongs to zlogin"])
            #expect(grants.allProblems.first?.hasPrefix("ahost: POST /login") == true)
        }
    }

    @Test(arguments: ["x post /{any}", "x use /login", "x post /login/", "x all /{a}"])
    func `an overlap counts, not the text alone`(request: String) throws {
        let claims = try Self.claims([("a", nil), ("b", nil)], [("b", [request]), ("a", ["login post /login"])])
        #expect(Self.owners(claims) == ["a POST /login"])
    }

    @Test func `other methods and other paths are no overlap, and of one service the more exact route is meant`() throws
    {
        let claims = try Self.claims(
            [("a", nil), ("b", nil)],
            [
                ("a", ["l post /login", "u get /users/{id}", "m get /users/me"]),
                ("b", ["x get /login", "y get /users"]),
            ])
        #expect(claims.decide().grants.count == 5 && claims.decide().allProblems == [])
    }

    @Test func `configured services come before others, and those in the order in which they were known`() throws {
        let claims = try Self.claims(
            [("c", nil)], [("first", ["x get /a", "x get /b"]), ("second", ["x get /a"]), ("c", ["x get /b"])])
        #expect(Self.owners(claims) == ["c GET /b", "first GET /a"])
    }

    @Test func `routes that a mapping lists are its own, before those that commands of others want`() throws {
        let claims = try Self.claims(
            [("a", nil), ("b", ["POST /login", "/files/*"])],
            [("a", ["x post /login", "y get /files/{f}", "z get /files"])])
        #expect(Self.owners(claims) == ["a GET /files"])
        // It has no others.
        let more = try Self.claims(
            [("b", ["/files/*"])], [("b", ["x get /files/{a}/{b}", "y get /other"])])
        #expect(Self.owners(more) == ["b GET /files/{a}/{b}"])
        #expect(
            more.decide().problems(of: "b") == [
                "GET /other of y is not served: \"routes\" of the mapping does not list it"
            ])
    }

    @Test func `a container has only what its mapping lists`() throws {
        let requests = [("d", ["x get /a"])]
        #expect(try Self.owners(Self.claims([("d", nil)], requests, confined: ["d"])) == [])
        #expect(try Self.owners(Self.claims([], requests, confined: ["d"])) == [])
        #expect(try Self.owners(Self.claims([("d", ["/a"])], requests, confined: ["d"])) == ["d GET /a"])
    }

    @Test func `the gateway's own paths are nobody's`() throws {
        let claims = try Self.claims(
            [("a", ["/rpc"])], [("a", ["x get /rpc"]), ("b", ["y get /$metadata", "z post /openapi.json"])])
        #expect(Self.owners(claims) == [])
        #expect(claims.decide().allProblems.count == 4)
    }

    @Test func `a service has at most 256 routes, all have 4096, and problems are counted`() throws {
        let many = (0..<300).map { "c get /r/\($0)" }
        let claims = try Self.claims(
            [], (0..<20).map { unit in ("s\(unit)", many.map { $0.replacing("/r/", with: "/\(unit)/") }) })
        let grants = claims.decide()
        #expect(grants.grants.count == RouteClaims.most)
        #expect(grants.problems(of: "s0").count == 1 && grants.problems(of: "s19").count == 6)
    }

    @Test func `what a service wants is noted when it changes`() throws {
        var claims = RouteClaims()
        let requests = RouteClaims.Requests([try Self.request("x get /a")], isConfined: false)
        let none = RouteClaims.Requests([], isConfined: false)
        let noted = [none, requests, requests, none].map { claims.note($0, of: "a") }
        #expect(noted == [false, true, false, true])
    }
}
