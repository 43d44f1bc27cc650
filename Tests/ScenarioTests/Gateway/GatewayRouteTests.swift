import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Whose routes are, as clients of the gateway see it.
@Suite(.serialized) struct GatewayRouteTests {
    /// Registers a service whose command `login` answers with the service's name, at a route.
    private static func add(_ name: String, _ route: String, to project: TestProject) throws {
        try project.write("\(name)/login.js", "exports.default = () => '\(name)';")
        let command =
            #"{"name":"login","config":{"fs":{"path":"./login.js"},"":{"inject":["params.0"]},"http":{"method":"post","route":"\#(route)","type":"text"}}}"#
        try project.write("\(name)/commands.json", #"{"name":"\#(name)","commands":[\#(command)]}"#)
    }

    private static func with(_ routes: String = "", _ body: (TestProject, TestGateway) throws -> Void) async throws {
        try await TestProject.with { project in
            try add("zlogin", "/login", to: project)
            try add("ahost", "/{any}", to: project)
            try project.write(
                ".pm.config.json",
                #"{"containers":{"zlogin":{"type":"nodejs","path":"zlogin/commands.json","commandable":true},"ahost":{"type":"nodejs","path":"ahost/commands.json","commandable":true}},"#
                    + #""mapping":{"zlogin":{"container":"zlogin"},"ahost":{"container":"ahost"\#(routes)}}}"#)
            try project.startDaemon()
            try TestGateway.with(project, ["http://127.0.0.1:PORT"]) { gateway in try body(project, gateway) }
        }
    }

    private static func login(_ gateway: TestGateway) throws -> String {
        let answer = try gateway.request("POST", "/login", ["Content-Type: application/json"], body: "\"secret\"")
        return answer.status == 200 ? answer.body : "\(answer.status)"
    }

    @Test func `the first of the configuration keeps a route, running or not, over upgrades and crashes`() async throws
    {
        try await Self.with { project, gateway in
            // Who comes second in the configuration has it only as long as nobody before it ever wanted it.
            try project.must("start", "zlogin", "--wait")
            #expect(try Self.login(gateway) == "zlogin")
            try project.must("start", "ahost", "--wait")
            #expect(eventually { (try? Self.login(gateway)) == "zlogin" })
            for name in ["pm", "ahost"] {
                let problems = try project.status(name)["problems"]?.text ?? ""
                #expect(problems.contains("POST /{any} of login is not served: it overlaps POST /login"), "\(problems)")
            }
            #expect(try project.status("zlogin")["problems"]?.array ?? [] == [])
            // A route that is not its own is not shown, and leads nowhere.
            let document = try gateway.request("GET", "/openapi.json").body
            #expect(document.contains("\"/login\"") && !document.contains("{any}"))
            #expect(try gateway.request("POST", "/other", ["Content-Type: application/json"], body: "1").status == 404)
            try project.must("stop", "zlogin")
            #expect(eventually { (try? Self.login(gateway)) == "503" })
            try project.must("upgrade")
            #expect(eventually { (try? Self.login(gateway)) == "503" })
            kill(try project.daemonID(), SIGKILL)
            #expect(eventually { (try? Self.login(gateway)) == "503" })
            try project.must("start", "zlogin", "--wait")
            #expect(eventually { (try? Self.login(gateway)) == "zlogin" })
        }
    }

    @Test func `a route that a mapping lists is its own before it ever ran`() async throws {
        try await Self.with(#","routes":["POST /login","/{any}"]"#) { project, gateway in
            try project.must("start", "zlogin", "--wait")
            #expect(try Self.login(gateway) == "503")
            try project.must("start", "ahost", "--wait")
            #expect(eventually { (try? Self.login(gateway)) == "ahost" })
            #expect(try project.status("zlogin")["problems"]?.text.contains("which belongs to ahost") == true)
        }
    }
}
