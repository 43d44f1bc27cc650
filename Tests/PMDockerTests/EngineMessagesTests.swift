import Testing

@testable import PMDocker

@Suite struct EngineRequestTests {
    @Test func `a path without a query stands alone`() {
        #expect(EngineRequest(verb: .get, path: "/containers/json").target == "/containers/json")
    }

    @Test func `values of a query are encoded`() {
        let query = [("all", "1"), ("filters", #"{"label":["a=b&c"]}"#), ("name", "aZ09-._~"), ("empty", "")]
        #expect(
            EngineRequest(verb: .get, path: "/x", query: query).target
                == "/x?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%26c%22%5D%7D&name=aZ09-._~&empty=")
        #expect(
            EngineRequest(verb: .post, path: "/x", query: [("t", "a b+c/ü%\n\u{7f}")]).target
                == "/x?t=a%20b%2Bc%2F%C3%BC%25%0A%7F")
    }
}

@Suite struct EngineErrorTests {
    @Test func `a refusal is told in the engine's words, and known by its status`() {
        let error = EngineError.refused(asked: "/x", status: 409, message: "name is in use")
        #expect(error.description == "name is in use")
        #expect(error.isRefusal(409) && !error.isRefusal(404))
        #expect(!EngineError.silent(asked: "/x").isRefusal(409))
    }

    @Test func `an engine that is away is told with its socket, the reason and the next step`() {
        let text = EngineError.away(path: "/run/d.sock", reason: "Connection refused").description
        #expect(text.hasPrefix("cannot reach the Docker engine at /run/d.sock: Connection refused; check that it runs"))
        #expect(text.contains("DOCKER_HOST"))
    }
}
