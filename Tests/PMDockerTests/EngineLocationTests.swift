import Testing

@testable import PMDocker

@Suite struct EngineLocationTests {
    private func path(_ host: String?, _ directory: String? = "/run/user/7", isThere: Bool = false) throws -> String {
        try EngineLocation(host, runtimeDirectory: directory) { path in
            #expect(path == "/run/user/7/docker.sock")
            return isThere
        }.path
    }

    @Test func `DOCKER_HOST names a socket of this machine`() throws {
        #expect(try path("unix:///srv/d.sock") == "/srv/d.sock")
        #expect(try path("unix:///srv/d.sock", isThere: true) == "/srv/d.sock")
    }

    @Test(arguments: [nil, ""])
    func `without it the user's own engine is taken, if there is one, else the system's`(host: String?) throws {
        #expect(try path(host, isThere: true) == "/run/user/7/docker.sock")
        #expect(try path(host) == "/var/run/docker.sock")
        #expect(try path(host, nil) == "/var/run/docker.sock")
    }

    @Test(arguments: ["tcp://127.0.0.1:2375", "ssh://me@host", "/var/run/docker.sock", "unix://", "unix://d.sock"])
    func `an engine of another machine is refused with the variable's name`(host: String) {
        let problem = #expect(throws: EngineLocation.Problem.self) { try path(host, isThere: true) }
        #expect(problem?.description.hasPrefix("DOCKER_HOST must be unix://PATH") == true)
        #expect(problem?.description.hasSuffix("not \(host)") == true)
    }
}
